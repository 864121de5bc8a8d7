# Who may do what to the topic, and why.
data "kafka_grants" "orders" {
  environment   = "dev"
  resource_name = "billing.orders.v1"
}

# Fails where somebody may read it whom nobody agreed to.
check "readers_were_agreed_to" {
  assert {
    condition = alltrue([for it in data.kafka_grants.orders.rules :
      alltrue([for why in it.because : why.kind != "foreign"]) if it.operation == "READ" && it.effective
    ])
    error_message = "Rules that nobody here made let others read billing.orders.v1."
  }
}
