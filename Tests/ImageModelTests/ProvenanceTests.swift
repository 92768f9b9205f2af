import Crypto
import Foundation
import ImageModel
import Testing

@Suite("Provenance and SBOM")
struct ProvenanceTests {
    private static let list = ImageDigest(of: [1])
    private static let manifest = ImageDigest(of: [2])
    private static let base = ImageDigest(of: [3])

    private static func build(_ source: ImageDefinition.Source) throws -> (Build, ProvenanceStatement.Facts) {
        let platform = try Platform("linux/amd64")
        var definition = ImageDefinition(source: source, platforms: [platform])
        definition.arguments = ["TOKEN": "hidden"]
        let build = Build(
            id: 7, owner: "me", image: 1, composes: [12], request: BuildRequest(definition), dateTag: try ImageTag("20261129"),
            state: .building, pins: BuildPins(commit: "c0ffee", images: ["r.example/base:9": base]),
            timeSubmitted: Date(timeIntervalSince1970: 1_795_000_000), timeStarted: Date(timeIntervalSince1970: 1_795_000_100),
            steps: [
                Step(id: 1, build: 7, platform: platform, state: .done, digest: manifest),
                Step(id: 2, build: 7, platform: nil, state: .running),
            ])
        let facts = ProvenanceStatement.Facts(
            repository: try ImageReference("r.example/team/web").repository, list: list,
            origins: [
                platform: StepOrigin(
                    containerfile: ImageDigest(of: Array("FROM x".utf8)), node: "n1", isolation: "rootless",
                    composes: [.init(id: 12, lock: ImageDigest(of: [4]))])
            ],
            contents: [platform: Contents(digest: manifest, platform: platform, state: .none)],
            bills: [manifest: ImageDigest(of: [5])],
            causes: [BuildCause(rebuild: 3, compose: 12, advisory: "RHSA-2026:1234", cves: ["CVE-2026-1"])],
            builder: "https://odcs.example/")
        return (build, facts)
    }

    @Test("a statement names the list and each manifest, and everything that the image was made from")
    func statement() throws {
        let (build, facts) = try Self.build(.git(url: "https://me:hidden@git.example/web.git", reference: "main", folder: "image"))
        let statement = ProvenanceStatement(build, facts)
        #expect(statement.subject.map { $0.digest["sha256"] } == [Self.list.hex, Self.manifest.hex])
        #expect(Set(statement.subject.map(\.name)) == ["r.example/team/web"])
        let definition = statement.predicate.buildDefinition
        #expect(
            definition.resolvedDependencies == [
                .init(name: "source", uri: "git+https://git.example/web.git#:image", digest: ["gitCommit": "c0ffee"]),
                .init(name: "Containerfile", digest: ["sha256": ImageDigest(of: Array("FROM x".utf8)).hex]),
                .init(name: "base", uri: "docker://r.example/base:9", digest: ["sha256": Self.base.hex]),
                .init(name: "compose 12", digest: ["sha256": ImageDigest(of: [4]).hex]),
            ])
        #expect(definition.internalParameters.causes.map(\.advisory) == ["RHSA-2026:1234"])
        #expect(definition.internalParameters.platforms.map(\.node) == ["n1"])
        #expect(definition.internalParameters.platforms.map(\.isolation) == ["rootless"])
        #expect(definition.internalParameters.platforms.map(\.contents) == ["none"])
        #expect(definition.internalParameters.platforms.map(\.sbom) == [ImageDigest(of: [5])])
        #expect(definition.externalParameters.arguments == ["TOKEN"])
        let text = String(decoding: statement.bytes, as: UTF8.self)
        #expect(!text.contains("hidden"), "It has no value of an argument, and no password of an address.")
        #expect(try ProvenanceStatement(statement.bytes) == statement)
        #expect(ProvenanceStatement(build, facts).bytes == statement.bytes)
    }

    private func newKey() throws -> ProvenanceKey { try ProvenanceKey(pem: P256.Signing.PrivateKey().pemRepresentation) }

    @Test("a signature is valid for its key and its bytes, and for no others")
    func signatures() throws {
        let (build, facts) = try Self.build(.archive(Self.base))
        let statement = ProvenanceStatement(build, facts).bytes
        let (key, other) = (try newKey(), try newKey())
        let envelope = try key.sign(statement)
        #expect(try envelope.statement == statement)
        let read = try SignedEnvelope(envelope.bytes)
        #expect(key.publicKey.hasSigned(read))
        #expect(try ProvenancePublicKey(pem: key.publicKey.pem).hasSigned(read))
        #expect(!other.publicKey.hasSigned(read))
        var changed = read
        changed.payload = Data(statement + [32]).base64EncodedString()
        #expect(!key.publicKey.hasSigned(changed))
        changed = read
        changed.signatures = []
        #expect(!key.publicKey.hasSigned(changed))
    }

    @Test("a file that is no key is explained without its content")
    func noKey() throws {
        let problem = #expect(throws: ImageProblem.self) { try ProvenanceKey(pem: "hidden") }
        #expect(problem?.description == "It is not a private key of the curve P-256 in PEM without a passphrase.")
    }

    @Test("an SBOM lists each package with its package URL, and an image without a known rpmdb has none")
    func bill() throws {
        let platform = try Platform("linux/amd64")
        let repository = try ImageReference("r.example/team/web").repository
        let packages = [
            InstalledPackage(
                name: "openssl-libs", evr: EVR(epoch: 1, version: "3.0.7", release: "28.el9"), arch: "x86_64",
                source: "openssl-3.0.7.src.rpm"),
            InstalledPackage(name: "libstdc++", evr: EVR(version: "1.0^git1", release: "1~rc"), arch: "x86_64"),
        ]
        let time = Date(timeIntervalSince1970: 1_795_000_000)
        let contents = Contents(digest: Self.manifest, platform: platform, state: .read(packages))
        let bill = try #require(SoftwareBill(contents, of: repository, created: time))
        #expect(bill.packages.map(\.name) == ["r.example/team/web", "libstdc++", "openssl-libs"])
        #expect(
            bill.packages.dropFirst().flatMap { $0.externalRefs ?? [] }.map(\.referenceLocator) == [
                "pkg:rpm/libstdc%2B%2B@1.0%5Egit1-1~rc?arch=x86_64",
                "pkg:rpm/openssl-libs@3.0.7-28.el9?arch=x86_64&epoch=1&upstream=openssl-3.0.7.src.rpm",
            ])
        #expect(Set(bill.packages.map(\.id)).count == 3)
        #expect(bill.relationships.map(\.relationshipType) == ["DESCRIBES", "CONTAINS", "CONTAINS"])
        #expect(try SoftwareBill(bill.bytes).packages(of: Self.manifest) == 2)
        #expect(bill.packages(of: Self.list) == nil)
        for state in [Contents.State.none, .unknown("broken")] {
            #expect(SoftwareBill(Contents(digest: Self.manifest, platform: platform, state: state), of: repository, created: time) == nil)
        }
    }
}
