# Everything that anybody may or must not do with one topic.
data "kafka_acls" "invoices" {
  resource_type = "topic"
  resource_name = "billing.invoices.v1"
}

output "who" {
  value = toset([for it in data.kafka_acls.invoices.acls : it.principal])
}
