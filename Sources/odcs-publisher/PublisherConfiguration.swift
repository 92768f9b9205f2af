import Deliveries
import Foundation
import Logging
import SystemPackage

/// A publisher configuration is the part of the server's configuration file that a publisher needs.
/// The server knows and checks the other keys.
struct PublisherConfiguration: Sendable {
    var stateDirectory: FilePath
    var databaseURL: String?
    var schema: String
    var connections: Int
    /// The length of a worker's lease, in seconds.
    var leaseSeconds: Int
    var brokers: [Broker]
    /// The URLs of the target directories, by their names.
    var targetURLs: [String: String]
    var logLevel: Logger.Level
    /// Whether the lines of the log are JSON.
    var logsJSON: Bool

    static func load(
        _ path: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> PublisherConfiguration {
        let file = FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath(path))
        guard let bytes = FileManager.default.contents(atPath: file.string) else {
            throw ConfigurationError(file: path, line: nil, key: nil, message: "there is no such file, or it cannot be read")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        var reader = try ConfigurationReader(text, file: path, directory: file.removingLastComponent(), environment: environment)
        return try PublisherConfiguration(&reader)
    }

    init(_ reader: inout ConfigurationReader) throws {
        stateDirectory = try reader.path("state_directory", default: "/var/lib/odcs")
        databaseURL = try reader.databaseURL()
        schema = try reader.string("database.schema", default: "odcs")
        connections = try reader.int("database.connections", default: 10, in: 2...1000)
        leaseSeconds = try reader.int("worker.lease_seconds", default: 15, in: 3...3600)
        brokers = try reader.events().brokers
        guard !brokers.isEmpty else {
            throw reader.mistake("events.subscribers", "has no broker, that is no receiver of the kind rabbitmq, kafka or amqp")
        }
        let publicURL = try reader.optionalBaseURL("frontend.public_url").map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        targetURLs = [:]
        for name in Set(try reader.names(below: "composes.targets")).union(["default"]) {
            let own = try reader.optionalBaseURL("composes.targets.\(name).url")
            guard let url = own ?? publicURL.map({ $0 + (name == "default" ? "/composes" : "/composes-\(name)") }) else {
                throw reader.mistake(
                    "frontend.public_url",
                    "is not set: a publisher must know where composes are served, because messages have their addresses")
            }
            targetURLs[name] = url
        }
        let level = try reader.string("log.level", default: "info", allowed: Logger.Level.allCases.map(\.rawValue))
        logLevel = Logger.Level(rawValue: level) ?? .info
        logsJSON = try reader.string("log.format", default: "text", allowed: ["text", "json"]) == "json"
    }
}
