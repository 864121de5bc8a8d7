data "kafka_topics" "billing" {
  environment = "dev"
  prefix      = "billing."
}

output "partitions" {
  value = { for topic in data.kafka_topics.billing.topics : topic.name => topic.partitions }
}
