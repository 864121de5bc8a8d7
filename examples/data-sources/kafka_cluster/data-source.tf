data "kafka_cluster" "dev" {
  environment = "dev"
}

output "brokers" {
  value = [for broker in data.kafka_cluster.dev.brokers : "${broker.host}:${broker.port}"]
}
