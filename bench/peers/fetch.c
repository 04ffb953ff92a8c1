/* Reads a topic with librdkafka's batch consumer and looks at every record: fetch BROKERS TOPIC PARTITIONS COUNT
 * Prints one line of JSON, the fields of `Run` in bench/measure.ts. The clock starts when partitions are assigned. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { batch_records = 10000, timeout_ms = 30000 };

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char error[512];
  if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) fail(error);
}

int main(int argc, char **argv) {
  if (argc != 5) fail("usage: fetch BROKERS TOPIC PARTITIONS COUNT");
  const int partitions = atoi(argv[3]);
  const long count = atol(argv[4]);
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", argv[1]);
  set(conf, "group.id", "peer");
  set(conf, "enable.auto.commit", "false");
  set(conf, "check.crcs", "true");
  set(conf, "isolation.level", "read_committed");
  char error[512];
  rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (consumer == NULL) fail(error);
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t *assigned = rd_kafka_topic_partition_list_new(partitions);
  for (int partition = 0; partition < partitions; partition += 1)
    rd_kafka_topic_partition_list_add(assigned, argv[2], partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
  const struct rd_kafka_metadata *metadata;
  if (rd_kafka_metadata(consumer, 1, NULL, &metadata, timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) fail("no metadata");
  const double started = seconds_now(), cpu_before = cpu_seconds();
  rd_kafka_assign(consumer, assigned);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);

  static rd_kafka_message_t *messages[batch_records];
  unsigned long bytes = 0;
  long seen = 0;
  while (seen < count) {
    const size_t wanted = count - seen < batch_records ? count - seen : batch_records;
    const ssize_t got = rd_kafka_consume_batch_queue(queue, timeout_ms, messages, wanted);
    if (got <= 0) fail("nothing came");
    for (ssize_t n = 0; n < got; n += 1) {
      if (messages[n]->err) fail(rd_kafka_message_errstr(messages[n]));
      bytes += messages[n]->len + messages[n]->key_len;
      rd_kafka_message_destroy(messages[n]);
    }
    seen += got;
  }
  struct rusage used;
  const double seconds = seconds_now() - started, cpu = cpu_seconds() - cpu_before;
  getrusage(RUSAGE_SELF, &used);
  printf("{\"rows\":%ld,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"peakRssBytes\":%ld}\n", seen, seconds, cpu,
         used.ru_maxrss * 1024L);
  fprintf(stderr, "%lu bytes\n", bytes);
  /* Leaving takes seconds and is not measured. */
  fflush(NULL);
  _Exit(0);
}
