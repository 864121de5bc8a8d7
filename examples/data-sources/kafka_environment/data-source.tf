data "kafka_environment" "dev" {
  environment = "dev"
}

# Every run says what is wrong with the cluster, and what to do.
check "dev" {
  assert {
    condition = data.kafka_environment.dev.status != "degraded"
    error_message = join("\n", [
      for it in data.kafka_environment.dev.conditions : "${it.message}. ${it.remedy}" if it.status == "bad"
    ])
  }
}
