output "topic" {
  value = provider::kafka::render_name("a{code}-{application}-{purpose}{suffix:(-dlq)?}", {
    code        = "0205"
    application = "payments"
    purpose     = "refunds"
    suffix      = "-dlq"
  })
}
