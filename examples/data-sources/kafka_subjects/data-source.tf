data "kafka_subjects" "billing" {
  environment = "dev"
  prefix      = "billing."
}

output "subjects" {
  value = data.kafka_subjects.billing.names
}
