import AsyncHTTPClient
import ForeignText
public import Foundation
public import ImageModel
public import NIOCore
import NIOHTTP1

/// A request to an engine for a build.
public struct EngineBuild: Sendable {
    /// The name that the image gets, with its tag. Example: `localhost/odcs-step:step-7`.
    public var name: String
    public var platform: Platform
    /// The path of the Containerfile in the context.
    public var containerfile: String
    public var arguments: [String: String] = [:]
    public var labels: [String: String] = [:]
    /// The time of the image, in seconds since 1970.
    public var timestamp: Int?
    /// `none` or `host`.
    public var network: String
    public var memoryBytes: Int?
    /// The number of processors, for example 1.5.
    public var processors: Double?
    /// The logins for base images. podman takes the names of repositories as keys, and docker those of
    /// registries only.
    public var logins: [String: EngineLogin] = [:]
    /// The images that stand for build contexts, by the names of the contexts. Only podman knows them.
    public var contexts: [String: String] = [:]
    /// The namespace of process ids that RUN instructions share, as a path on the host of the engine. Nil:
    /// each has one of its own. Only podman knows it.
    public var processNamespace: String?

    public init(name: String, platform: Platform, containerfile: String, network: String) {
        self.name = name
        self.platform = platform
        self.containerfile = containerfile
        self.network = network
    }
}

/// A user name and a password for a registry, which an engine gets for one request.
public struct EngineLogin: Hashable, Sendable, Encodable {
    public let username: String
    public let password: String

    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }
}

/// The memory and the disk of an engine's host. A value is nil if the engine does not report it.
public struct EngineRoom: Hashable, Sendable {
    public let memoryBytes: Int?
    /// The free bytes of the disk with the images.
    public let freeBytes: Int?
}

/// An image of an engine.
public struct EngineImage: Hashable, Sendable {
    /// The digest of its configuration.
    public let id: ImageDigest
    /// Its names with tags. None for an image without a name, and for one that was pulled by its digest.
    public let names: [String]
    /// Whether it has neither a name with a tag nor one with a digest.
    public let isNameless: Bool
    public let created: Date
}

extension ContainerEngine {
    /// Returns the program and version of the engine. Example: `podman 4.3.1`.
    ///
    /// The header `Server` of a ping has them. podman asks many programs for the answer to `/version`,
    /// which takes half a second.
    ///
    /// - Parameter limit: The time after which an engine counts as unreachable.
    public func version(within limit: Duration = .seconds(10)) async throws(EngineFailure) -> String {
        let answer = try await wholeAnswer(to: HTTPClientRequest(url: url("_ping")), within: .init(limit))
        guard answer.status == 200 else { throw refusal(answer.status, answer.body) }
        // For example `Libpod/4.3.1 (linux)` and `Docker/24.0.7 (linux)`.
        let server = answer.headers.first(name: "Server") ?? ""
        let parts = server.prefix { $0 != " " }.split(separator: "/", maxSplits: 1)
        let version = parts.count == 2 ? " \(String(parts[1]).printable(most: 40))" : ""
        return (parts.first == "Libpod" ? "podman" : "docker") + version
    }

    /// Returns the architecture of the engine's host, with OCI's name. Example: `amd64`.
    public func platform() async throws(EngineFailure) -> String {
        let (status, body) = try await answer(HTTPClientRequest(url: url("version")), within: .seconds(10))
        guard status == 200, let arch = (try? JSONDecoder().decode(Version.self, from: Data(body)))?.Arch,
            let platform = try? Platform(arch)
        else { throw refusal(status, body) }
        return platform.architecture
    }

    /// Returns the memory of the engine's host, and the free space of its storage. Docker does not report
    /// the space.
    public func room() async throws(EngineFailure) -> EngineRoom {
        let (status, body) = try await answer(HTTPClientRequest(url: address.podmanURL + "info"), within: .seconds(60))
        if status == 200, let info = try? JSONDecoder().decode(PodmanInformation.self, from: Data(body)) {
            let free = info.store.graphRootAllocated.flatMap { all in info.store.graphRootUsed.map { all - $0 } }
            return EngineRoom(memoryBytes: info.host.memTotal, freeBytes: free)
        }
        let (other, text) = try await answer(HTTPClientRequest(url: url("info")), within: .seconds(60))
        guard other == 200, let info = try? JSONDecoder().decode(DockerInformation.self, from: Data(text)) else {
            throw refusal(other, text)
        }
        return EngineRoom(memoryBytes: info.MemTotal, freeBytes: nil)
    }

    /// Throws ``EngineFailure`` if the engine does not answer within a time.
    public func ping(within limit: Duration) async throws(EngineFailure) {
        let (status, body) = try await answer(HTTPClientRequest(url: url("_ping")), within: .init(limit))
        guard status == 200 else { throw refusal(status, body) }
    }

    /// Builds an image. Returns when the engine says that the image is there.
    ///
    /// - Parameters:
    ///   - context: The bytes of a tar.
    ///   - output: Gets the output of the build, in pieces.
    /// - Returns: The id of the image, or `nil` if the engine did not report it.
    /// - Throws: ``EngineFailure``. It has the code `buildFailed` with the text of the engine if the build
    ///   failed, and `unreachable` if the engine was lost: its answer has no last line then.
    @discardableResult
    public func build(
        _ build: EngineBuild, context: some AsyncSequence<ByteBuffer, any Error> & Sendable, output: @escaping @Sendable (String) -> Void
    ) async throws(EngineFailure) -> ImageDigest? {
        let period = 100_000
        var request = HTTPClientRequest(
            url: url(
                "build",
                [
                    ("t", build.name), ("platform", build.platform.description), ("dockerfile", build.containerfile),
                    ("buildargs", Self.json(build.arguments)), ("labels", Self.json(build.labels)), ("networkmode", build.network),
                    ("nocache", "1"), ("layers", "0"), ("rm", "1"), ("forcerm", "1"), ("pull", "0"),
                    // Only podman knows these.
                    ("additionalbuildcontexts", build.contexts.isEmpty ? nil : Self.json(build.contexts.mapValues(BuildContext.init))),
                    // Namespaces take the place of podman's own choice, which is the host for the network. `networkmode` overrides it.
                    (
                        "nsoptions",
                        build.processNamespace.flatMap {
                            Self.json([Namespace(Name: "network", Host: true), Namespace(Name: "pid", Path: $0)])
                        }
                    ),
                    ("outputformat", "application/vnd.oci.image.manifest.v1+json"), ("timestamp", build.timestamp.map(String.init)),
                    ("memory", build.memoryBytes.map(String.init)), ("cpuperiod", build.processors.map { _ in "\(period)" }),
                    ("cpuquota", build.processors.map { "\(Int($0 * Double(period)))" }),
                ]))
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-tar")
        if !build.logins.isEmpty {
            request.headers.add(name: "X-Registry-Config", value: Self.header(build.logins))
        }
        request.body = .stream(context, length: .unknown)
        let response = try await response(to: request)
        var isBuilt = false
        var image: ImageDigest?
        try await read(response) { (line) throws(EngineFailure) in
            if let error = line.error { throw EngineFailure(.buildFailed, error) }
            if let text = line.stream {
                output(text)
                if text.hasPrefix("Successfully built ") { isBuilt = true }
            }
            // No instruction can write this. Its output has other members.
            if let id = line.aux?.ID {
                isBuilt = true
                image = Self.digest(id) ?? image
            }
        }
        // The status says nothing about the build, and a stream that ends early has no error.
        guard isBuilt else {
            throw EngineFailure(.unreachable, "The container engine ended its answer before the build was complete.")
        }
        return image
    }

    /// Returns the image with a name, or nil.
    public func image(named name: String) async throws(EngineFailure) -> EngineImage? {
        let (status, body) = try await answer(HTTPClientRequest(url: url("images/\(name)/json")), within: .seconds(60))
        if status == 404 { return nil }
        guard status == 200, let image = try? JSONDecoder().decode(Inspection.self, from: Data(body)), let id = Self.digest(image.Id) else {
            throw refusal(status, body)
        }
        let names = image.RepoTags ?? []
        return EngineImage(id: id, names: names, isNameless: names.isEmpty, created: .distantPast)
    }

    /// Returns all images that are no parts of others.
    public func images() async throws(EngineFailure) -> [EngineImage] {
        let (status, body) = try await answer(HTTPClientRequest(url: url("images/json")), within: .seconds(60))
        guard status == 200, let images = try? JSONDecoder().decode([ListedImage].self, from: Data(body)) else {
            throw refusal(status, body)
        }
        return images.compactMap { image in
            Self.digest(image.Id).map { id in
                let names = (image.RepoTags ?? []).filter { !$0.hasPrefix("<none>") }
                let digests = (image.RepoDigests ?? []).filter { !$0.hasPrefix("<none>") }
                return EngineImage(
                    id: id, names: names, isNameless: names.isEmpty && digests.isEmpty,
                    created: Date(timeIntervalSince1970: Double(image.Created ?? 0)))
            }
        }
    }

    /// Gives an image one more name.
    public func tag(_ name: String, as repository: String, tag: String) async throws(EngineFailure) {
        var request = HTTPClientRequest(url: url("images/\(name)/tag", [("repo", repository), ("tag", tag)]))
        request.method = .POST
        let (status, body) = try await answer(request, within: .seconds(60))
        guard status == 201 || status == 200 else { throw refusal(status, body) }
    }

    /// Removes a name of an image, and the image if it has no other name.
    ///
    /// - Returns: `false` if there is no such image, or if a container uses it.
    @discardableResult
    public func remove(_ name: String) async throws(EngineFailure) -> Bool {
        var request = HTTPClientRequest(url: url("images/\(name)"))
        request.method = .DELETE
        let (status, body) = try await answer(request, within: .seconds(300))
        if status == 404 || status == 409 { return false }
        guard status == 200 else { throw refusal(status, body) }
        return true
    }

    /// Pushes an image. Returns the digest that the engine reports. It may be wrong.
    ///
    /// podman would turn the image into one of docker without `format`. docker does not know it.
    ///
    /// - Parameter isInsecure: Whether the registry is spoken to without TLS. docker decides that itself.
    public func push(
        _ repository: String, tag: String, login: EngineLogin?, isInsecure: Bool, output: @escaping @Sendable (String) -> Void
    ) async throws(EngineFailure) -> ImageDigest {
        var request = HTTPClientRequest(
            url: url("images/\(repository)/push", [("tag", tag), ("format", "oci"), ("tlsVerify", isInsecure ? "false" : nil)]))
        request.method = .POST
        // podman uses the login of its own account if this one is empty.
        request.headers.add(name: "X-Registry-Auth", value: login.map(Self.header) ?? Self.header([String: String]()))
        let response = try await response(to: request)
        var digest: ImageDigest?
        try await read(response) { (line) throws(EngineFailure) in
            if let error = line.error { throw EngineFailure(.pushFailed, error) }
            if let text = line.status ?? line.stream, !text.isEmpty {
                output(text)
                if let match = text.firstMatch(of: /sha256:[0-9a-f]{64}/), text.contains("digest: ") {
                    digest = Self.digest(String(match.output))
                }
            }
            if let found = line.aux?.Digest.flatMap(Self.digest) { digest = found }
        }
        guard let digest else {
            throw EngineFailure(.unreachable, "The container engine ended its answer before the push was complete.")
        }
        return digest
    }

    /// Writes an image as a docker-archive.
    ///
    /// - Parameter receive: Gets the pieces of the archive.
    public func save(_ name: String, _ receive: (ByteBuffer) async throws -> Void) async throws {
        let response = try await response(to: HTTPClientRequest(url: url("images/\(name)/get")))
        guard response.status.code == 200 else {
            let body = try await response.body.collect(upTo: 1 << 20)
            throw refusal(response.status.code, Array(body.readableBytesView))
        }
        var iterator = response.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do { piece = try await iterator.next() } catch { throw failure(of: error) }
            guard let piece else { return }
            try await receive(piece)
        }
    }

    // MARK: Answers

    /// A line of the answer to a build or a push.
    struct Line: Decodable {
        struct Aux: Decodable {
            let ID: String?
            let Digest: String?
        }
        struct Detail: Decodable { let message: String? }

        let stream: String?
        let status: String?
        let aux: Aux?
        let errorText: String?
        let errorDetail: Detail?

        private enum CodingKeys: String, CodingKey {
            case stream, status, aux, errorDetail
            case errorText = "error"
        }

        var error: String? { errorText ?? errorDetail?.message }
    }

    private static let longestLine = 1 << 20

    /// Reads the lines of an answer as they arrive. Text that is no JSON is passed over.
    private func read(_ response: HTTPClientResponse, _ take: (Line) throws(EngineFailure) -> Void) async throws(EngineFailure) {
        guard response.status.code == 200 else {
            let body: ByteBuffer
            do { body = try await response.body.collect(upTo: Self.longestLine) } catch { throw failure(of: error) }
            throw refusal(response.status.code, Array(body.readableBytesView))
        }
        var pending: [UInt8] = []
        var iterator = response.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do { piece = try await iterator.next() } catch { throw failure(of: error) }
            guard let piece else { break }
            for byte in piece.readableBytesView {
                if byte != UInt8(ascii: "\n") { pending.append(byte) }
                guard byte == UInt8(ascii: "\n") else { continue }
                // Engines send lines of other kinds too. They say nothing about the end of the build.
                if let line = try? JSONDecoder().decode(Line.self, from: Data(pending)) { try take(line) }
                pending.removeAll(keepingCapacity: true)
            }
            guard pending.count <= Self.longestLine else {
                throw EngineFailure(.badAnswer, "The container engine sends a line of more than \(Self.longestLine) bytes.")
            }
        }
        if let line = try? JSONDecoder().decode(Line.self, from: Data(pending)) { try take(line) }
    }

    private struct Version: Decodable { let Arch: String? }

    /// An image that stands for a build context, in the form of podman.
    private struct BuildContext: Encodable {
        let IsURL = false
        let IsImage = true
        let Value: String
        let DownloadedCache = ""

        init(_ image: String) { Value = image }
    }

    /// A choice of podman for a namespace of RUN instructions.
    private struct Namespace: Encodable {
        let Name: String
        var Host = false
        var Path = ""
    }

    private struct PodmanInformation: Decodable {
        struct Host: Decodable { let memTotal: Int? }
        struct Store: Decodable {
            let graphRootAllocated: Int?
            let graphRootUsed: Int?
        }

        let host: Host
        let store: Store
    }

    private struct DockerInformation: Decodable { let MemTotal: Int? }

    private struct Inspection: Decodable {
        let Id: String
        let RepoTags: [String]?
    }

    private struct ListedImage: Decodable {
        let Id: String
        let RepoTags: [String]?
        let RepoDigests: [String]?
        let Created: Int?
    }

    /// Engines write ids with and without the algorithm.
    private static func digest(_ text: String) -> ImageDigest? { try? ImageDigest(text.contains(":") ? text : "sha256:\(text)") }

    /// Returns a value as engines take it in a header: JSON in the base64 of URLs.
    private static func header(_ value: some Encodable) -> String {
        Data((json(value) ?? "{}").utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
    }

    private static func json(_ value: some Encodable) -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts can always be encoded.
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) }
    }
}
