import AsyncHTTPClient
import ComposeStore
import Foundation
import Glibc
import ImageModel
import ImageTestKit
import NIOCore
import NIOHTTP1
import Processes
import SystemPackage

/// A service that builds images, with a registry of its own.
struct ImageService: Sendable {
    let service: TestService
    let registry: TestRegistry

    /// - Parameters:
    ///   - path: The path below which the service keeps its images. Example: `/deep`.
    ///   - images: More settings of images. Example: `slots: 2`.
    ///   - more: Further lines of the configuration file.
    ///   - address: The address of another database cluster than that of the process.
    static func with<R: Sendable>(
        below path: String = "", images: String = "", more: String = "", at address: String? = nil,
        _ body: @escaping @Sendable (ImageService) async throws -> R
    ) async throws -> R {
        try await BuildTestAccount.prepare()
        return try await TestRegistry.with { registry in
            let host = registry.host
            let settings =
                "images: {registry: \"\(host)\(path)\", insecure_registries: [\"\(host)\"]\(images.isEmpty ? "" : ", \(images)")}"
            return try await TestService.with(more: "\(settings)\n\(more)", at: address) { service in
                let image = ImageService(service: service, registry: registry)
                let result: Result<R, any Error>
                do { result = .success(try await body(image)) } catch { result = .failure(error) }
                // Files may belong to subordinate numbers of this user.
                if geteuid() != 0 {
                    _ = try await Program.run(["buildah", "unshare", "--", "rm", "-rf", service.directory.appending("images").string])
                }
                return try result.get()
            }
        }
    }

    /// Runs a server that is frontend and worker.
    func serve<R: Sendable>(_ body: @escaping @Sendable (ServerProcess) async throws -> R) async throws -> R {
        try await ServerProcess.with(configuration: service.configuration, body)
    }

    /// Makes a folder for an image, with this Containerfile.
    func folder(_ name: String, _ containerfile: String) throws -> FilePath {
        let folder = service.directory.appending(name)
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        try containerfile.write(toFile: folder.appending("Containerfile").string, atomically: true, encoding: .utf8)
        return folder
    }

    /// Has an image of small programs built, and returns its name.
    func base(_ server: ServerProcess) async throws -> String {
        let folder = try folder("base", SmallImages.containerfile)
        try await SmallImages.makeContext(in: folder)
        try await server.succeed("image", "add", "team/base", folder.string)
        try await server.succeed("image", "build", "team/base")
        return "\(registry.host)/team/base"
    }

    /// Makes the compose 1 with a gate among its packages.
    func gate(_ server: ServerProcess) async throws -> BuildGate {
        let compose = try await server.compose("repo", Checkout.testsRepo.string, "ed-dictionary", "--no-deps")
        return try BuildGate(in: FinishedCompose(document: compose, in: service.composes))
    }

    /// Waits until a build is as `condition` asks for. It is looked at after each change of a state.
    func await(build id: Int, until condition: (Build) -> Bool) async throws -> Build {
        try await service.awaitChange { try await service.store.build(id).flatMap { condition($0) ? $0 : nil } }
    }

    /// Returns the digest that a tag shows in the registry. The registry answers without this service.
    func digest(_ name: String, tag: String = "latest") async throws -> ImageDigest? {
        var request = HTTPClientRequest(url: "http://\(registry.host)/v2/\(name)/manifests/\(tag)")
        request.method = .HEAD
        request.headers.add(name: "accept", value: MediaType.manifests.map(\.rawValue).joined(separator: ", "))
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        return try answer.headers.first(name: "docker-content-digest").map { try ImageDigest($0) }
    }

    /// The log of a build for the platform of this host.
    func log(of build: Int) throws -> String { try String(contentsOfFile: logFile(of: build).string, encoding: .utf8) }

    func logFile(of build: Int) -> FilePath { service.composes.pushing(FilePath(BuildLayout(build: build).log(of: .host))) }
}

extension ServerProcess {
    /// Runs the command line `odcs`. Throws the program itself if it fails.
    @discardableResult
    func succeed(_ arguments: String...) async throws -> Program {
        let program = try await odcs(arguments)
        guard program.isSuccess else { throw program }
        return program
    }

    /// Runs the command line `odcs` with `--json`, and returns the document that it prints.
    func document<Document: Decodable>(_ arguments: String...) async throws -> Document {
        let program = try await odcs(arguments + ["--json"])
        guard program.isSuccess else { throw program }
        return try JSONDecoder().decode(Document.self, from: Data(program.output.utf8))
    }
}
