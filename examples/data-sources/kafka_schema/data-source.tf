data "kafka_schema" "orders" {
  environment = "dev"
  subject     = "billing.orders.v1-value"
}

output "newest" {
  value = "version ${data.kafka_schema.orders.version} is ${data.kafka_schema.orders.schema_id}"
}
