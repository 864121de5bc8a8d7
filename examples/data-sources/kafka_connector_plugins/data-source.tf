data "kafka_connector_plugins" "dev" {
  environment = "dev"
  class       = "org.apache.kafka.connect.file.FileStreamSinkConnector"
}

output "sinks" {
  value = [for it in data.kafka_connector_plugins.dev.plugins : it.class if it.type == "sink"]
}

output "keys" {
  value = [for it in data.kafka_connector_plugins.dev.definitions : it.name if it.importance == "HIGH"]
}
