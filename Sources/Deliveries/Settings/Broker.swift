public import ComposeStore
public import SystemPackage

/// A broker is a message broker that events are published to, and how they are chosen. The program
/// `odcs-publisher` publishes them.
public struct Broker: Hashable, Sendable {
    /// The kind of a broker, with the place in it that gets the messages.
    public enum Kind: Hashable, Sendable {
        case rabbitMQ(RabbitMQExchange)
        case kafka(KafkaTopic)
        case amqp(AMQPAddress)
    }

    /// The name of the subscriber. It has no secrets, because admins see it.
    public var name: String
    public var filter: EventFilter
    public var kind: Kind

    public init(name: String, filter: EventFilter, kind: Kind) {
        self.name = name
        self.filter = filter
        self.kind = kind
    }
}

/// An exchange of RabbitMQ, and the routing key of the messages.
public struct RabbitMQExchange: Hashable, Sendable {
    public var server: BrokerServer
    public var virtualHost: String
    public var exchange: String
    /// The routing key. Example: `org.example.odcs.state.change`.
    public var topic: String
    /// Whether a message that no queue gets waits until one does.
    public var isMandatory: Bool
    public var login: BrokerLogin

    public init(
        server: BrokerServer, virtualHost: String, exchange: String, topic: String, isMandatory: Bool, login: BrokerLogin
    ) {
        self.server = server
        self.virtualHost = virtualHost
        self.exchange = exchange
        self.topic = topic
        self.isMandatory = isMandatory
        self.login = login
    }
}

/// A topic of Kafka.
public struct KafkaTopic: Hashable, Sendable {
    /// The brokers that the client asks for the others. Example: `k1.example.org:9093`.
    public var brokers: [String]
    public var topic: String
    public var isEncrypted: Bool
    /// The mechanism of SASL, if the login has a user. Example: `SCRAM-SHA-512`.
    public var mechanism: String
    public var login: BrokerLogin

    public init(brokers: [String], topic: String, isEncrypted: Bool, mechanism: String, login: BrokerLogin) {
        self.brokers = brokers
        self.topic = topic
        self.isEncrypted = isEncrypted
        self.mechanism = mechanism
        self.login = login
    }
}

/// An address of a broker that speaks AMQP 1.0.
public struct AMQPAddress: Hashable, Sendable {
    public var server: BrokerServer
    /// The target of the messages. Example: `topic://VirtualTopic.eng.odcs.state.change`.
    public var address: String
    public var login: BrokerLogin

    public init(server: BrokerServer, address: String, login: BrokerLogin) {
        self.server = server
        self.address = address
        self.login = login
    }
}

/// The host and the port of a broker.
public struct BrokerServer: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int
    public var isEncrypted: Bool

    public init(host: String, port: Int, isEncrypted: Bool) {
        self.host = host
        self.port = port
        self.isEncrypted = isEncrypted
    }

    /// Example: `broker.example.org:5671`.
    public var description: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

/// The credentials for a broker, and the authorities that vouch for it. Secrets are in files, which are
/// read for each connection. So a password that changes needs no restart.
public struct BrokerLogin: Hashable, Sendable {
    public var user: String?
    /// The file whose first line is the password of the user.
    public var passwordFile: FilePath?
    /// A client certificate and its key, as PEM files.
    public var certificate: FilePath?
    public var key: FilePath?
    /// A PEM file with the authorities to trust. `nil` means those of the system.
    public var ca: FilePath?

    public init(user: String? = nil, passwordFile: FilePath? = nil, certificate: FilePath? = nil, key: FilePath? = nil, ca: FilePath? = nil)
    {
        self.user = user
        self.passwordFile = passwordFile
        self.certificate = certificate
        self.key = key
        self.ca = ca
    }
}
