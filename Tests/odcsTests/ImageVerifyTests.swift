import Crypto
import Foundation
import HTTPEnvironment
import ImageModel
import ImageTestKit
import Logging
import Registry
import Testing

@testable import odcs

@Suite("odcs image verify", .timeLimit(.minutes(5)))
struct ImageVerifyTests {
    @Test("an image is as its statement says, and every difference is named and fails the command")
    func differences() async throws {
        try await TestRegistry.with { registry in
            let image = "\(registry.host)/team/web"
            let bare = try await verify(image, at: registry) { _ in }
            #expect(bare.status == .composeFailed)
            #expect(bare.out.contains("The registry has no statement about sha256:"))

            let right = try await verify(image, at: registry) { try await $0.attach() }
            #expect(right.status == .success, "\(right.out)\(right.err)")
            #expect(right.out.contains("The image is as the statement says."))
            #expect(right.out.contains("built by     urn:odcs:service, build 7"))
            #expect(right.out.contains("because of   compose 12: EXAMPLE-2026:1"))
            #expect(right.out.contains("node local, rootless, 1 package\n"))

            let listOnly = try await verify(image, at: registry) { try await $0.attach(toManifest: false) }
            #expect(listOnly.status == .composeFailed)
            #expect(listOnly.out.contains("does not have the statement, only the list has it."))
            #expect(listOnly.out.contains("does not have the SBOM sha256:"))

            let foreign = try await verify(image, at: registry) { world in
                try await world.attach { $0.predicate.buildDefinition.internalParameters.platforms[0].digest = ImageDigest(of: [9]) }
            }
            #expect(foreign.out.contains("The statement does not name the manifest "))

            let based = try await verify(image, at: registry) { world in
                try await world.attach { $0.predicate.buildDefinition.resolvedDependencies = [] }
            }
            #expect(based.status == .composeFailed)
            #expect(based.out.contains("is based on \(World.base), which the statement does not name."))
        }
    }

    @Test("with a key, only a statement that it has signed counts")
    func key() async throws {
        try await TestRegistry.with { registry in
            let image = "\(registry.host)/team/web"
            let key = try ProvenanceKey(pem: P256.Signing.PrivateKey().pemRepresentation)
            let files = ["odcs.pub": key.publicKey.pem]
            let unsigned = try await verify(image, at: registry, ["--key", "odcs.pub"], files: files) { try await $0.attach() }
            #expect(unsigned.status == .composeFailed)
            #expect(unsigned.out.contains(" is not signed by the key."))
            let signed = try await verify(image, at: registry, ["--key", "odcs.pub"], files: files) { try await $0.attach(signedBy: key) }
            #expect(signed.status == .success, "\(signed.out)\(signed.err)")
            #expect(signed.out.contains("signature    by the key"))
            let unchecked = try await verify(image, at: registry) { try await $0.attach(signedBy: key) }
            #expect(unchecked.out.contains("signature    not checked; name the key of the service with --key"))
            let wrong = try await verify(image, at: registry, ["--key", "x"], files: ["x": "no key"]) { _ in }
            #expect(wrong.status == .error)
            #expect(wrong.err == "odcs: the file \"x\" cannot be used. It is not a public key of the curve P-256 in PEM.\n")
        }
    }

    @Test("documents that others attach neither hide the statement and the SBOM nor replace them")
    func others() async throws {
        try await TestRegistry.with { registry in
            let image = "\(registry.host)/team/web"
            let key = try ProvenanceKey(pem: P256.Signing.PrivateKey().pemRepresentation)
            let run = try await verify(image, at: registry, ["--key", "odcs.pub"], files: ["odcs.pub": key.publicKey.pem]) { world in
                try await world.attach(signedBy: key)
                let manifest = world.image.document.descriptor()
                for subject in [world.list.descriptor(), manifest] {
                    // An SBOM without packages, a document of megabytes, and one that is none.
                    let empty = try #require(SoftwareBill(world.contents(of: []), of: world.repository, created: World.time))
                    try await world.attach([Attestation(.bill, empty.bytes)], to: subject)
                    let large = Array(repeating: UInt8(ascii: " "), count: 5 << 20)
                    try await world.attach([Attestation(.envelope, large), Attestation(.statement, Array("[]".utf8))], to: subject)
                    try await world.attach(of: "application/vnd.example", times: 3000, to: subject)
                }
            }
            #expect(run.status == .success, "\(run.out)\(run.err)")
            #expect(run.out.contains("node local, rootless, 1 package\n"))

            let flooded = try await verify(image, at: registry) { world in
                try await world.attach()
                try await world.attach([Attestation(.statement, Array("[]".utf8))], to: world.list.descriptor())
                try await world.attach(of: Attestation.Kind.statement.rawValue, times: 3000, to: world.list.descriptor())
            }
            #expect(flooded.status == .composeFailed)
            #expect(
                flooded.out.contains("can be read. 3002 documents are attached to it, and only the newest 100 were read."), "\(flooded.out)"
            )
        }
    }

    @Test("a statement with foreign texts is printed on lines of its own, without control characters, and not without end")
    func foreignTexts() async throws {
        try await TestRegistry.with { registry in
            let run = try await verify("\(registry.host)/team/web", at: registry) { world in
                try await world.attach { statement in
                    statement.predicate.runDetails.builder.id = "a\u{1B}[31m\nThe image is as the statement says.\u{202E}<b>"
                    statement.predicate.buildDefinition.resolvedDependencies += (1...20_000).map { .init(name: "base \($0)\u{9B}") }
                }
            }
            #expect(run.status == .success)
            #expect(run.out.split(separator: "\n").count < 120)
            #expect(run.out.contains("… and 19902 more"))
            #expect(run.out.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0 != "\u{9B}" && $0 != "\u{202E}" })
            #expect(run.out.split(separator: "\n").filter { $0 == "The image is as the statement says." }.count == 1)
        }
    }

    @Test("an image that is not there is an error of the registry")
    func absent() async throws {
        try await TestRegistry.with { registry in
            let run = try await CommandRun.odcs(["image", "verify", "\(registry.host)/team/none", "--insecure"])
            #expect(run.status == .error)
        }
    }

    /// Makes an image, lets `body` attach documents, and verifies it.
    private func verify(
        _ image: String, at registry: TestRegistry, _ options: [String] = [], files: [String: String] = [:],
        _ body: (World) async throws -> Void
    ) async throws -> CommandRun {
        let client = RegistryClient(RegistryConfiguration(insecureHosts: [registry.host]), logger: Logger(label: "test"))
        let digest: ImageDigest
        do {
            let world = try await World(client, try ImageReference(image).repository)
            try await body(world)
            digest = world.list.digest
            await client.shutdown()
        } catch {
            await client.shutdown()
            throw error
        }
        return try await CommandRun.odcs(["image", "verify", "\(image)@\(digest)", "--insecure"] + options, files: files)
    }

    /// An image with a list in a registry.
    private struct World {
        static let base = ImageDigest(of: [1])
        static let time = Date(timeIntervalSince1970: 1_795_000_000)
        static let package = InstalledPackage(name: "zlib", evr: EVR(version: "1", release: "2"), arch: "x86_64")

        let client: RegistryClient
        let repository: ImageRepository
        let image: SmallImage
        let list: ManifestDocument

        init(_ client: RegistryClient, _ repository: ImageRepository) async throws {
            self.client = client
            self.repository = repository
            // Each image is another one, and has no documents of an earlier test.
            image = SmallImage(
                config: #"{"Labels":{"vnd.odcs.build":"7","x":"\#(UUID())","org.opencontainers.image.base.digest":"\#(Self.base)"}}"#)
            for (descriptor, bytes) in image.blobs { try await client.upload(descriptor, to: repository, BytesContent(bytes)) }
            try await client.put(image.document, to: repository)
            list = ManifestDocument(ImageIndex(manifests: [image.document.descriptor(platform: .host)]))
            try await client.put(list, to: repository)
        }

        func attach(
            toManifest: Bool = true, signedBy key: ProvenanceKey? = nil, changing change: (inout ProvenanceStatement) -> Void = { _ in }
        ) async throws {
            let contents = contents(of: [Self.package])
            let bill = Attestation(.bill, try #require(SoftwareBill(contents, of: repository, created: Self.time)).bytes)
            let build = Build(
                id: 7, owner: "me", image: 1, request: BuildRequest(ImageDefinition(source: .containerfile(""), platforms: [.host])),
                dateTag: try ImageTag("1"), state: .building, pins: BuildPins(images: ["r.example/base:9": Self.base]),
                timeSubmitted: Self.time,
                steps: [Step(id: 1, build: 7, platform: .host, state: .done, digest: image.document.digest)])
            let origin = StepOrigin(containerfile: ImageDigest(of: [2]), node: "local", isolation: "rootless", composes: [])
            var statement = ProvenanceStatement(
                build,
                .init(
                    repository: repository, list: list.digest, origins: [.host: origin], contents: [.host: contents],
                    bills: [contents.digest: bill.descriptor.digest],
                    causes: [BuildCause(rebuild: 1, compose: 12, advisory: "EXAMPLE-2026:1", cves: [])], builder: "urn:odcs:service"))
            change(&statement)
            let attestation =
                if let key { Attestation(.envelope, try key.sign(statement.bytes).bytes) } else { Attestation(.statement, statement.bytes) }
            try await attach([attestation], to: list.descriptor())
            if toManifest { try await attach([attestation, bill], to: image.document.descriptor()) }
        }

        func contents(of packages: [InstalledPackage]) -> Contents {
            Contents(digest: image.document.digest, platform: .host, state: .read(packages))
        }

        /// Attaches a document of this type, as often as an index of referrers can have it.
        func attach(of type: String, times: Int, to subject: Descriptor) async throws {
            let tag = ImageReference(repository, tag: subject.digest.referrersTag)
            guard case .index(var index) = try await client.manifest(tag).content, var entry = index.manifests.last else { return }
            entry.artifactType = type
            index.manifests += Array(repeating: entry, count: times)
            try await client.put(ManifestDocument(index), to: repository, tag: subject.digest.referrersTag)
        }

        func attach(_ attestations: [Attestation], to subject: Descriptor) async throws {
            let empty = Attestation.configuration
            try await client.upload(Descriptor(of: empty, mediaType: .empty), to: repository, BytesContent(empty))
            for attestation in attestations {
                try await client.upload(attestation.descriptor, to: repository, BytesContent(attestation.bytes))
                try await client.attach([attestation.artifact(about: subject)], to: repository)
            }
        }
    }
}
