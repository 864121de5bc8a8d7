import {
  to = kafka_user_scram_credential.billing
  id = "dev/billing-app/SCRAM-SHA-512"
}
