//! The broker's files.

use std::{fs, io, path::Path};

use super::{
    Stack,
    certificates::Certificates,
    ports::{Ports, address},
};

/// Writes `broker.properties`, with `more` lines at its end, and the files that it names into `folder`.
pub(super) fn write(folder: &Path, ports: Ports, certificates: &Certificates, more: &str) -> io::Result<()> {
    let broker = &certificates.broker;
    fs::write(folder.join("broker.pem"), format!("{}{}{}", broker.key, broker.certificate, certificates.ca))?;
    fs::write(folder.join("ca.pem"), &certificates.ca)?;
    fs::write(folder.join("broker.properties"), format!("{}{more}\n", properties(folder, ports)))
}

/// The broker is its own controller, and commits a change at once instead of waiting 25 ms for others. ANONYMOUS, which is
/// everybody on the plain text listener, may do everything: with it the tests make and verify what others may not.
fn properties(folder: &Path, ports: Ports) -> String {
    let Ports { plaintext, controller, sasl_ssl, mutual_tls } = ports;
    let [plaintext, controller, sasl_ssl, mutual_tls] = [plaintext, controller, sasl_ssl, mutual_tls].map(address);
    let users = [Stack::ADMIN, Stack::TEAM].into_iter().chain(Stack::PIPELINES);
    let users = users.map(|it| format!(" user_{}=\"{}\"", it.name, it.password)).collect::<Vec<_>>().concat();
    let folder = folder.display();
    let client = Certificates::CLIENT;
    let admin = Stack::ADMIN.name;
    format!(
        "\
process.roles=broker,controller
node.id=1
broker.rack=rack-1
log.dirs={folder}/data
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={controller}
controller.quorum.append.linger.ms=0
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://{plaintext},CONTROLLER://{controller},SASL_SSL://{sasl_ssl},SSL://{mutual_tls}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL

auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=8388608

ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT
listener.name.ssl.ssl.client.auth=required
listener.name.sasl_ssl.ssl.client.auth=none
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required{users};
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;

authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{admin};User:{client}
"
    )
}
