#!/bin/sh
# Starts Kafka as its image does: KafkaDockerWrapper makes the configuration of the environment and formats the storage.
set -eu
cd "$(mktemp -d)"
touch server.properties log4j2.yaml tools-log4j2.yaml
java -cp '/opt/kafka/libs/*' kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir . --mounted-configs-dir /nowhere --final-configs-dir /opt/kafka/config
exec java $KAFKA_HEAP_OPTS -cp '/opt/kafka/libs/*' kafka.Kafka /opt/kafka/config/server.properties
