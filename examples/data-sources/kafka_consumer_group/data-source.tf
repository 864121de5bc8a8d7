data "kafka_consumer_group" "billing" {
  environment = "dev"
  group_id    = "billing.invoices"
}

output "consumers" {
  value = [for member in data.kafka_consumer_group.billing.members : "${member.client_id} at ${member.host}"]
}
