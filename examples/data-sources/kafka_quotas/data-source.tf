data "kafka_quotas" "billing" {
  user = "billing-reports"
}

output "limits" {
  value = [for quota in data.kafka_quotas.billing.quotas : quota.limits]
}
