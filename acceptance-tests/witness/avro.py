"""avro.py BROKERS REGISTRY TOPIC VALUE: writes a value with the newest schema of the topic, reads it back by the id in it.

Prints what was read, as JSON: the id that the message carries, and the value. Nothing is registered here.
"""

import json
import sys

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

brokers, registry, topic, value = sys.argv[1:]
context = SerializationContext(topic, MessageField.VALUE)

client = SchemaRegistryClient({"url": registry})
serialize = AvroSerializer(
    client, conf={"auto.register.schemas": False, "use.latest.version": True}
)
producer = Producer({"bootstrap.servers": brokers})
producer.produce(topic, serialize(json.loads(value), context))
if producer.flush(30):
    sys.exit("the broker did not take the message")

consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": f"{topic}.witness",
        "auto.offset.reset": "earliest",
    }
)
consumer.subscribe([topic])
message = consumer.poll(30)
if message is None or message.error():
    sys.exit(f"the message was not read: {message and message.error()}")
written = message.value()
consumer.close()

# Another client, that has seen nothing of what was written with.
deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry}))
print(json.dumps({"id": int.from_bytes(written[1:5]), "value": deserialize(written, context)}))
