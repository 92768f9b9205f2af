import ComposeModel
import ComposeStore
import Foundation
import ImageModel
import ImageTestKit
import Registry
import Subprocess
import SystemPackage
import Testing

@testable import ImageWorker

@Suite("The provenance of a build", .serialized, .timeLimit(.minutes(5)))
struct ProvenanceTests {
    private static let package = InstalledPackage(name: "zlib", evr: EVR(version: "1", release: "2"), arch: "x86_64")

    /// The documents about a manifest, in the order in which they were attached.
    private func documents(
        about digest: ImageDigest, in world: StepWorld, _ name: String = "team/app"
    ) async throws -> [(Attestation.Kind, [UInt8])] {
        let repository = try world.registry.repository(name)
        var documents: [(Attestation.Kind, [UInt8])] = []
        for referrer in try await world.client.referrers(of: digest, in: repository) {
            let kind = try #require(referrer.artifactType.flatMap(Attestation.Kind.init))
            documents.append((kind, try #require(try await world.client.content(of: referrer, in: repository))))
        }
        return documents
    }

    @Test("the list and each manifest have the statement, which names what the image was made from, and the manifest has an SBOM")
    func statement() async throws {
        try await StepWorld.run { world in
            let compose = try await world.compose()
            let lock = Array("{}".utf8)
            let tree = world.directory.appending("target").appending(ComposeLayout(id: compose).directory)
            try Data(lock).write(to: URL(filePath: tree.appending(ComposeLayout.lockFile).string))
            world.reader.set([Self.package], in: try world.registry.repository("team/app"))
            let text = "FROM \(world.base)\nRUN touch /made\n"
            let build = try await world.submit("team/app", .containerfile(text), composes: [compose])
            let done = try await world.finish(build)
            let (list, manifest) = (try #require(done.digest), try #require(done.steps.first?.digest))
            let ofList = try await documents(about: list, in: world)
            let ofManifest = try await documents(about: manifest, in: world)
            #expect(ofList.map(\.0) == [.statement])
            #expect(ofManifest.map(\.0) == [.statement, .bill])
            #expect(ofList[0].1 == ofManifest[0].1)
            let statement = try ProvenanceStatement(ofList[0].1)
            for digest in [list, manifest] { #expect(statement.subject.contains { $0.matches(digest) }) }
            let base = try #require(try await world.digest("base", tag: "1"))
            let dependencies = statement.predicate.buildDefinition.resolvedDependencies
            #expect(dependencies.map(\.name) == ["Containerfile", "base", "compose \(compose)"])
            #expect(dependencies.map(\.imageDigest) == [ImageDigest(of: Array(text.utf8)), base, ImageDigest(of: lock)])
            let record = try #require(statement.predicate.buildDefinition.internalParameters.platforms.first)
            #expect(record.node == "local")
            #expect(record.isolation == "rootless")
            #expect(record.contents == "read")
            #expect(record.sbom == ImageDigest(of: ofManifest[1].1), "The signature of the statement is one of the SBOM too.")
            #expect(try SoftwareBill(ofManifest[1].1).packages(of: manifest) == 1)
            for document in (ofList + ofManifest).map({ String(decoding: $0.1, as: UTF8.self) }) {
                #expect(!document.contains(world.directory.string))
            }
            // Another program finds the documents by the tag of referrers.
            let tag = "docker://\(try world.registry.repository("team/app")):\(manifest.referrersTag)"
            let raw = try await run(
                .name("skopeo"), arguments: ["inspect", "--tls-verify=false", "--raw", tag], output: .string(limit: 1 << 20))
            #expect(raw.standardOutput.contains(Attestation.Kind.bill.rawValue))
        }
    }

    @Test("an image whose provenance cannot be attached gets no tag that moves, and the next attempt attaches it")
    func order() async throws {
        try await StepWorld.run { world in
            let build = try await world.submit("team/app", .containerfile("FROM \(world.base)\nRUN touch /made\n"))
            #expect(try await world.step() == nil)
            let manifest = try #require(try await world.build(build.id).steps.first?.digest)
            // Another program has put an image at the tag for the referrers.
            let repository = try world.registry.repository("team/app")
            let image = SmallImage()
            for (descriptor, bytes) in image.blobs { try await world.client.upload(descriptor, to: repository, BytesContent(bytes)) }
            try await world.client.put(image.document, to: repository, tag: manifest.referrersTag)
            #expect(try await world.step()?.message.contains("\(manifest.referrersTag)") == true)
            #expect(try await world.digest("team/app", tag: "latest") == nil)
        }
    }

    @Test("an attempt that is repeated attaches the envelope of the attempt before, and openssl accepts its signature")
    func signature() async throws {
        try await StepWorld.run { world in
            let file = world.directory.appending("key.pem").string
            let made = try await run(
                .name("openssl"), arguments: ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file], output: .discarded)
            #expect(made.terminationStatus.isSuccess)
            let key = try ProvenanceKey(file: file)
            let build = try await world.submit("team/app", .containerfile("FROM \(world.base)\nRUN touch /made\n"))
            let done = try await world.finish(build)
            let list = try await world.client.manifest(
                ImageReference(world.registry.repository("team/app"), digest: try #require(done.digest)))
            let attestations = BuildAttestations(store: world.store, registry: world.client, builder: "https://odcs.example/", key: key)
            let inputs = try #require(try await world.store.stepInputs(of: done.id))
            for attempt in 1...2 {
                let documents = try await attestations.upload(about: list, inputs, isFirst: attempt == 1)
                try await attestations.attach(documents, in: inputs.image.repository)
            }
            let envelopes = try await documents(about: list.digest, in: world).filter { $0.0 == .envelope }.map(\.1)
            #expect(envelopes.count == 1)
            let envelope = try SignedEnvelope(try #require(envelopes.first))
            #expect(try ProvenanceStatement(envelope.statement).predicate.runDetails.builder.id == "https://odcs.example/")

            let statement = try envelope.statement
            let type = SignedEnvelope.payloadType
            let signed = Array("DSSEv1 \(type.utf8.count) \(type) \(statement.count) ".utf8) + statement
            let (payload, signature, publicKey) = ("\(file).payload", "\(file).sig", "\(file).pub")
            try Data(signed).write(to: URL(filePath: payload))
            let encoded = try #require(envelope.signatures.first).sig
            try #require(Data(base64Encoded: encoded)).write(to: URL(filePath: signature))
            try Data(key.publicKey.pem.utf8).write(to: URL(filePath: publicKey))
            let verified = try await run(
                .name("openssl"), arguments: ["dgst", "-sha256", "-verify", publicKey, "-signature", signature, payload],
                output: .string(limit: 1 << 16))
            #expect(verified.standardOutput == "Verified OK\n")
        }
    }
}
