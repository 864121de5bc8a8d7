data "kafka_user_scram_credentials" "all" {}

output "users_with_few_iterations" {
  value = [
    for it in data.kafka_user_scram_credentials.all.credentials : it.username if it.scram_iterations < 8192
  ]
}
