#!/bin/sh
# Starts Kafka as its image does: KafkaDockerWrapper makes the configuration of the environment and formats the storage, unless it is.
set -eu
cd "$(mktemp -d)"
touch server.properties log4j2.yaml tools-log4j2.yaml
java -cp '/opt/kafka/libs/*' kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir . --mounted-configs-dir /nowhere --final-configs-dir /opt/kafka/config >setup.log 2>&1 ||
  grep -q 'already formatted' setup.log || {
  cat setup.log
  exit 1
}
exec java $KAFKA_HEAP_OPTS -cp '/opt/kafka/libs/*' kafka.Kafka /opt/kafka/config/server.properties
