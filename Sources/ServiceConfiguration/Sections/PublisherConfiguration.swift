public import Deliveries
import Foundation
public import ServiceLog
public import SystemPackage

/// A publisher configuration is the part of the server's configuration file that `odcs-publisher`
/// needs. The server knows and checks the other keys.
public struct PublisherConfiguration: Sendable {
    public var stateDirectory: FilePath
    public var database: DatabaseSettings
    /// The length of a worker's lease, in seconds.
    public var leaseSeconds: Int
    public var brokers: [Broker]
    /// The URLs of the target directories, by their names.
    public var targetURLs: [String: String]
    public var log: LogSettings

    /// Returns the configuration in the file at `path`, with the settings of the environment.
    ///
    /// - Throws: ``ConfigurationError``.
    public static func load(_ path: String?) throws -> PublisherConfiguration {
        var reader = try ConfigurationReader(path: path, environment: ProcessInfo.processInfo.environment)
        return try PublisherConfiguration(&reader)
    }

    /// - Throws: ``ConfigurationError``, also for a file that is right for a server, and lacks a key
    ///   without which a publisher cannot start.
    public init(_ reader: inout ConfigurationReader) throws {
        stateDirectory = try reader.stateDirectory()
        database = try reader.database()
        leaseSeconds = try reader.leaseSeconds()
        brokers = try reader.events().brokers
        guard !brokers.isEmpty else {
            throw reader.mistake("events.subscribers", "has no broker, that is no receiver of the kind rabbitmq, kafka or amqp")
        }
        let publicURL = try reader.publicURL()
        targetURLs = [:]
        for name in try reader.targetNames() {
            guard
                let url = try reader.optionalBaseURL("composes.targets.\(name).url")
                    ?? publicURL.map({ $0 + ConfigurationReader.path(ofTarget: name) })
            else {
                throw reader.mistake(
                    "frontend.public_url",
                    "is not set: a publisher must know where composes are served, because messages have their addresses")
            }
            targetURLs[name] = url
        }
        log = try reader.log()
    }
}
