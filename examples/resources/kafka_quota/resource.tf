resource "kafka_quota" "reports" {
  user      = "billing-reports"
  client_id = "monthly"

  producer_byte_rate = 1048576
  consumer_byte_rate = 10485760
  request_percentage = 12.5
}

# All users that have no quota of their own.
resource "kafka_quota" "others" {
  user_default             = true
  controller_mutation_rate = 10
}
