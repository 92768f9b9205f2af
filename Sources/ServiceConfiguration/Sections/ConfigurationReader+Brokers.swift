import Deliveries
import Foundation
import SystemPackage

/// The brokers that events are published to.
extension ConfigurationReader {
    mutating func rabbitMQ(below key: String) throws -> RabbitMQExchange {
        let (server, path) = try brokerServer("\(key).url", example: "amqps://broker.example.org/%2F")
        let host = path.hasPrefix("/") ? String(path.dropFirst()) : path
        guard !host.contains("/"), let virtualHost = host.removingPercentEncoding else {
            throw mistake("\(key).url", "must end with the name of the virtual host, in which %2F stands for /")
        }
        return RabbitMQExchange(
            server: server, virtualHost: virtualHost.isEmpty ? "/" : virtualHost,
            exchange: try string("\(key).exchange", default: "amq.topic"),
            topic: try required("\(key).topic", in: key, "the routing key of the messages"),
            isMandatory: try bool("\(key).mandatory", default: false),
            login: try brokerLogin(below: key, isEncrypted: server.isEncrypted))
    }

    mutating func kafka(below key: String) throws -> KafkaTopic {
        let brokers = try strings("\(key).brokers", default: [])
        guard !brokers.isEmpty else { throw mistake(key, "needs brokers, a list such as [k1.example.org:9093]") }
        if let wrong = brokers.first(where: { $0.wholeMatch(of: /[A-Za-z0-9.\[\]:_-]+:[0-9]{1,5}/) == nil }) {
            throw mistake("\(key).brokers", "must be a list of hosts with ports such as k1.example.org:9093, not \(wrong)")
        }
        let isEncrypted = try bool("\(key).tls", default: true)
        return KafkaTopic(
            brokers: brokers, topic: try required("\(key).topic", in: key, "the topic of the messages"), isEncrypted: isEncrypted,
            mechanism: try string(
                "\(key).mechanism", default: "SCRAM-SHA-512", allowed: ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]),
            login: try brokerLogin(below: key, isEncrypted: isEncrypted))
    }

    mutating func amqp(below key: String) throws -> AMQPAddress {
        let (server, path) = try brokerServer("\(key).url", example: "amqps://broker.example.org")
        guard path.isEmpty || path == "/" else { throw mistake("\(key).url", "must end with the host or the port") }
        return AMQPAddress(
            server: server, address: try required("\(key).address", in: key, "the address of the messages at the broker"),
            login: try brokerLogin(below: key, isEncrypted: server.isEncrypted))
    }

    /// Returns the server and the path of an address of a broker.
    private mutating func brokerServer(_ key: String, example: String) throws -> (server: BrokerServer, path: String) {
        let url = try string(key, default: "")
        guard let parts = URLComponents(string: url), let scheme = parts.scheme, ["amqp", "amqps"].contains(scheme),
            let host = parts.host, !host.isEmpty, parts.query == nil, parts.fragment == nil, parts.password == nil, parts.user == nil
        else {
            throw mistake(key, "must be an address such as \(example), without a user, whose key is user")
        }
        let isEncrypted = scheme == "amqps"
        let port = parts.port ?? (isEncrypted ? 5671 : 5672)
        guard (1...65535).contains(port) else { throw mistake(key, "must have a port from 1 to 65535") }
        let name = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        return (BrokerServer(host: name, port: port, isEncrypted: isEncrypted), parts.percentEncodedPath)
    }

    private mutating func brokerLogin(below key: String, isEncrypted: Bool) throws -> BrokerLogin {
        let login = BrokerLogin(
            user: try optionalString("\(key).user"), passwordFile: try optionalPath("\(key).password_file"),
            certificate: try optionalPath("\(key).certificate"), key: try optionalPath("\(key).key"), ca: try optionalPath("\(key).ca"))
        for (name, file) in [("certificate", login.certificate), ("key", login.key), ("ca", login.ca)] {
            try checkReadable(file, "\(key).\(name)")
            guard file == nil || isEncrypted else { throw mistake("\(key).\(name)", "has no effect without TLS") }
        }
        guard (login.certificate == nil) == (login.key == nil) else { throw mistake(key, "needs certificate and key together") }
        guard (login.user == nil) == (login.passwordFile == nil) else { throw mistake(key, "needs user and password_file together") }
        if let file = login.passwordFile { _ = try secret(in: file, "\(key).password_file") }
        return login
    }

    private mutating func required(_ key: String, in parent: String, _ meaning: String) throws -> String {
        guard let text = try optionalString(key) else {
            throw mistake(parent, "needs \(key.dropFirst(parent.utf8.count + 1)), \(meaning)")
        }
        return text
    }
}
