import AsyncHTTPClient
import ContainerEngine
import Foundation
public import ImageModel
import NIOCore
import NIOSSL
public import SystemPackage

/// The connections of a worker to nodes. Each use of a node has a connection of its own.
public struct EngineConnections: Sendable {
    /// The directory with `known_hosts`, with the private keys of identities for ssh, for example
    /// `builder`, and with their certificates for TLS: `builder.pem`, and `ca.pem`.
    private let keys: FilePath?
    private let settings: EngineNode.Settings
    private let memory = NodeMemory()

    /// - Parameter keys: Nil if the account of the worker has its own keys for ssh.
    public init(keys: FilePath?, settings: EngineNode.Settings) {
        self.keys = keys
        self.settings = settings
    }

    /// Runs `body` with a node. The node need not answer.
    ///
    /// - Throws: ``NodeFailure`` if there is no way to the node.
    public func with<Value: Sendable>(
        _ node: FarmNode, _ body: @escaping @Sendable (EngineNode) async throws -> Value
    ) async throws -> Value {
        let make: @Sendable (ContainerEngine) -> EngineNode = {
            EngineNode(node, engine: $0, settings: settings, memory: memory)
        }
        switch node.connection {
        case .local: throw NodeFailure(.node, "The node local has no engine.")
        case .unix(let path): return try await with(.socket(FilePath(path)), nil) { try await body(make($0)) }
        case .ssh(let user, let host, let port, let path):
            let tunnel = SSHTunnel(
                user: user, host: host, port: port, path: path, key: try file(of: node.identity, ending: nil),
                knownHosts: keys?.appending("known_hosts"))
            return try await tunnel.open(node: node.name) { socket in
                try await with(.socket(socket), nil) { try await body(make($0)) }
            }
        case .tls(let host, let port):
            let configuration = try tlsConfiguration(of: node)
            return try await with(.tls(host: host, port: port), configuration) { try await body(make($0)) }
        }
    }

    /// Runs `body` with an engine, over a client that does not wait for an engine that is away.
    private func with<Value>(
        _ address: EngineAddress, _ tls: TLSConfiguration?, _ body: (ContainerEngine) async throws -> Value
    ) async throws -> Value {
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, timeout: .init(connect: .seconds(10)))
        configuration.connectionPool.retryConnectionEstablishment = false
        // A node must not lead the worker to other addresses.
        configuration.redirectConfiguration = .disallow
        let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(ContainerEngine(address, client: client)))
        } catch {
            result = .failure(error)
        }
        // An error means that connections were still open. They are closed, and the result is there already.
        try? await client.shutdown()
        return try result.get()
    }

    /// Returns the file of an identity.
    private func file(of identity: String?, ending: String?) throws -> FilePath? {
        guard let identity else { return nil }
        guard let file = keys?.appending(ending.map { "\(identity).\($0)" } ?? identity),
            FileManager.default.isReadableFile(atPath: file.string)
        else {
            throw NodeFailure(
                .node, "The worker has no key \(identity)\(ending.map { ".\($0)" } ?? ""). Put it into the directory images.node_keys.")
        }
        return file
    }

    private func tlsConfiguration(of node: FarmNode) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        do {
            if let pem = try file(of: node.identity, ending: "pem") {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(pem.string).map { .certificate($0) }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: pem.string, format: .pem))
            }
            if let authority = keys?.appending("ca.pem"), FileManager.default.isReadableFile(atPath: authority.string) {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority.string))
            }
        } catch let failure as NodeFailure {
            throw failure
        } catch {
            throw NodeFailure(.node, "The certificate \(node.identity ?? "ca").pem of the worker cannot be read.")
        }
        return configuration
    }
}
