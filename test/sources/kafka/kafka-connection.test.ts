import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaClient } from '../../../src/sources/kafka/kafka-connection.ts';

const sasl = { mechanism: 'plain', username: 'u', password: 'canary' } as const;

test('a password goes in the clear to brokers on loopback only', () => {
  kafkaClient({ brokers: ['localhost:9092', '127.0.0.1:1', '[::1]:2'], sasl }, 'none');
  kafkaClient({ brokers: ['kafka.example:9093'], sasl, tls: {} }, 'none');
  assert.throws(() => kafkaClient({ brokers: ['127.0.0.1:1', 'kafka.example:9092'], sasl }, 'none'), {
    name: 'ConfigError',
    code: 'config.invalid',
    message: /kafka\.example:9092 in the clear/,
  });
});

test('a file that cannot be read is a mistake of the configuration, named', () => {
  const brokers = ['localhost:9092'];
  assert.throws(() => kafkaClient({ brokers, tls: { caFile: '/no/such.pem' } }, 'none'), {
    name: 'ConfigError',
    code: 'config.missing',
    message: /kafka\.tls\.caFile: cannot read \/no\/such\.pem/,
  });
  const noPassword = { mechanism: 'plain', username: 'u', passwordFile: '/no/password' } as const;
  assert.throws(() => kafkaClient({ brokers, sasl: noPassword }, 'none'), { code: 'config.missing' });
  assert.throws(() => kafkaClient({ brokers, sasl: { mechanism: 'plain', username: 'u' } }, 'none'), {
    message: /needs a password or a passwordFile/,
  });
});
