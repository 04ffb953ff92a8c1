import { kafkaClient, type KafkaConnection } from './kafka-connection.ts';

/** What a broker is asked for: who keeps a group's offsets, and who a transactional id's state. */
const coordinatorTypes = [0, 1] as const;

/**
 * Why a broker names no coordinator of the group, or of the transactional id of the same name; null where it does. kafkajs keeps it to itself, so that a missing right looks like a broker that is away.
 */
export async function coordinatorRefusal(connection: KafkaConnection, groupId: string): Promise<unknown> {
  const client = kafkaClient(connection, 'none');
  try {
    const { brokerPool } = client.cluster();
    const broker = await brokerPool.findConnectedBroker();
    for (const coordinatorType of coordinatorTypes) await broker.findGroupCoordinator({ groupId, coordinatorType });
    return null;
  } catch (error) {
    return error;
  } finally {
    client.destroy();
  }
}
