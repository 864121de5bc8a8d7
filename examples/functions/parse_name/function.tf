output "fields" {
  value = provider::kafka::parse_name("a{code}-{application:[a-z]+}-{purpose}", "a0205-payments-refunds")
}
