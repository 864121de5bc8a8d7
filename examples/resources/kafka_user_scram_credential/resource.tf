variable "billing_password" {
  type      = string
  sensitive = true
  ephemeral = true # in no plan and no state either
}

resource "kafka_user_scram_credential" "billing" {
  username         = "billing-app"
  scram_mechanism  = "SCRAM-SHA-512"
  scram_iterations = 8192

  # Sent once, and stored nowhere.
  password_wo         = var.billing_password
  password_wo_version = "1" # another one whenever the password changes
}
