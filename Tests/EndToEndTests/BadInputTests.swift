import AsyncHTTPClient
import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// Sources that are not as they should be: the compose fails, says why in one explanation, leaves nothing behind, and the worker goes on.
///
/// One slot: a compose that ends shows that the one before it is cleared away.
@Suite(.sharedService("worker: {attempts: 1, slots: 1}"), .timeLimit(.minutes(10)))
struct BadInputTests {
    /// Asks for `package` of a repository and sees it fail for `reason`.
    private func fail(
        _ repository: String, _ package: String = "ed", as code: ComposeFailure.Code, because reason: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let shared = try SharedService.current
        let failed = try await shared.server.compose("repo", repository, package)
        #expect(failed.stateName == "failed", sourceLocation: sourceLocation)
        #expect(failed.stateReason == reason, sourceLocation: sourceLocation)
        #expect(failed.failure?.code == code, sourceLocation: sourceLocation)

        let good = try await shared.server.compose("repo", Checkout.testsRepo.string, "libed-data", "--no-deps", "--no-reuse")
        #expect(good.stateName == "done", sourceLocation: sourceLocation)
        #expect(try shared.service.traces(of: failed.id) == [], sourceLocation: sourceLocation)

        let log = try await shared.server.http(.GET, "\(failed.toplevelURL)/pungi-stderr.log").text
        #expect(log.contains("ERROR \(reason.replacing("\n", with: " "))\n"), sourceLocation: sourceLocation)
        for text in [reason, log] {
            let shown = text.replacing(repository, with: "")
            #expect(
                !shown.contains(shared.service.directory.string) && !shown.contains(shared.sources.string), sourceLocation: sourceLocation)
        }
    }

    private func repository() throws -> RepositoryCopy { try RepositoryCopy(in: SharedService.current.sources) }

    // MARK: What is asked for

    @Test("a package that is nowhere is named with what comes nearest")
    func unknownPackage() async throws {
        try await fail(
            Checkout.testsRepo.string, "libedd", as: .packageNotFound,
            because: "libedd is not there for x86_64; nearest: libed, libed++.")
    }

    @Test("of very many packages that are nowhere the first are named")
    func manyUnknownPackages() async throws {
        let shared = try SharedService.current
        let packages = (0..<10_000).map { "nowhere\($0)" }
        let body = try JSONSerialization.data(
            withJSONObject: ["source": ["type": "repo", "source": Checkout.testsRepo.string, "packages": packages]])
        let answer = try await shared.server.http(.POST, "/api/1/composes/", body: .bytes(body))
        let id = try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
        let failed = try await shared.service.await(id, .failed, .done)
        let named = packages.prefix(50).map { "\($0) is not there for x86_64." }
        #expect(
            failed.stateReason
                == (named + ["And 9950 more like these; the log of the compose has them all."]).joined(separator: "\n"))
        #expect(failed.failure?.details.compactMap(\.package) == Array(packages.prefix(20)))
        #expect(failed.failure?.details.last?.text == "and 9980 more")
    }

    @Test("a link that leads out of the allowed directories is not followed")
    func linkOutside() async throws {
        let outside = try TemporaryDirectory()
        defer { outside.remove() }
        let elsewhere = try RepositoryCopy(in: outside.path)
        let link = try SharedService.current.sources.appending("link")
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: elsewhere.location)
        try await fail(
            link.string, as: .sourceNotUsable,
            because: "The repository \(link) cannot be read: its path leads out of the directories that this service may read.")
    }

    // MARK: Metadata

    @Test("a directory without repodata is no repository")
    func noRepodata() async throws {
        let repository = try repository()
        try repository.remove("repodata")
        try await fail(
            repository.location, as: .sourceNotUsable,
            because: "There is no repodata/repomd.xml at \(repository.location): "
                + "is it the directory of an RPM repository, the one in which repodata lies?")
    }

    /// What is said of a document that repomd.xml describes otherwise.
    private func otherThanDescribed(_ repository: RepositoryCopy, _ finding: String) -> String {
        "The metadata of the repository \(repository.location) cannot be used: the document primary (repodata/primary.xml.gz) is not what "
            + "repomd.xml says: \(finding). The maintainer of the repository has to create its metadata again."
    }

    @Test("a primary.xml that is cut off is noticed by its size")
    func truncatedPrimary() async throws {
        let repository = try repository()
        let whole = try repository.read("repodata/primary.xml.gz")
        try repository.write(whole.prefix(1000), to: "repodata/primary.xml.gz")
        try await fail(
            repository.location, as: .metadataCorrupt,
            because: otherThanDescribed(repository, "it has 1000 bytes instead of \(whole.count)"))
    }

    @Test("a primary.xml with a wrong byte is noticed by its checksum")
    func corruptPrimary() async throws {
        let repository = try repository()
        let before = try await repository.checksum("repodata/primary.xml.gz")
        try repository.flip("repodata/primary.xml.gz")
        let after = try await repository.checksum("repodata/primary.xml.gz")
        try await fail(
            repository.location, as: .metadataCorrupt,
            because: otherThanDescribed(repository, "it has the checksum \(after) instead of \(before)"))
    }

    private func opening(_ packages: Int) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="\(packages)">

        """
    }

    @Test("a primary.xml that is no XML, with the right checksum, is refused with the place of the mistake")
    func malformedPrimary() async throws {
        let repository = try repository()
        try await repository.replacePrimary(by: opening(1) + "<package type=\"rpm\"><name>ed</package></metadata>\n")
        try await fail(
            repository.location, as: .metadataCorrupt,
            because: "The metadata of the repository \(repository.location) cannot be used: in primary.xml, "
                + "mismatched tag at line 3:30. The maintainer of the repository has to create its metadata again.")
    }

    @Test("a package without a checksum is left out, alone")
    func packageWithoutChecksum() async throws {
        let repository = try repository()
        try await repository.replacePrimary(
            by: opening(1) + """
                <package type="rpm"><name>ed</name><arch>x86_64</arch><version epoch="0" ver="1" rel="1"/>\
                <location href="ed.rpm"/><format/></package></metadata>
                """)
        try await fail(repository.location, as: .packageNotFound, because: "ed is not there for x86_64.")
    }

    /// Entities that would expand to some gigabytes.
    private static let bomb =
        "<!DOCTYPE lolz [<!ENTITY a \"aaaaaaaaaa\">"
        + (1...9).map {
            "<!ENTITY \(Character(UnicodeScalar(UInt8(97 + $0)))) \"\(String(repeating: "&\(Character(UnicodeScalar(UInt8(96 + $0))));", count: 10))\">"
        }
        .joined() + "]>"

    @Test("entities that expand without end in primary.xml are refused before they are read")
    func bombInPrimary() async throws {
        let repository = try repository()
        try await repository.replacePrimary(by: "<?xml version=\"1.0\"?>\n\(Self.bomb)\n<metadata packages=\"0\">&j;</metadata>\n")
        try await fail(
            repository.location, as: .sourceNotUsable,
            because: "The metadata of the repository \(repository.location) cannot be used: primary contains a document type declaration, "
                + "which is not accepted.")
    }

    @Test("entities that expand without end in repomd.xml are refused before they are read")
    func bombInRepomd() async throws {
        let repository = try repository()
        try repository.write("<?xml version=\"1.0\"?>\n\(Self.bomb)\n<repomd>&j;</repomd>\n", to: "repodata/repomd.xml")
        try await fail(
            repository.location, as: .metadataCorrupt,
            because: "The repodata/repomd.xml of the repository \(repository.location) cannot be used: repomd.xml contains <!DOCTYPE; "
                + "document type declarations and entities are not accepted. Is it the location of an RPM repository?")
    }

    // MARK: Packages

    private func unusable(_ repository: RepositoryCopy, _ finding: String) -> String {
        "The file of the package ed-1.20-3.x86_64 (Packages/ed-1.20-3.x86_64.rpm) in the repository \(repository.location) cannot be used: \(finding)."
    }

    @Test("a package whose file is missing is named")
    func missingPackage() async throws {
        let repository = try repository()
        try repository.remove("Packages/ed-1.20-3.x86_64.rpm")
        try await fail(repository.location, as: .packageFileUnusable, because: unusable(repository, "it does not exist"))
    }

    @Test("a package with another checksum than its metadata says is named")
    func wrongPackage() async throws {
        let repository = try repository()
        let before = try await repository.checksum("Packages/ed-1.20-3.x86_64.rpm")
        try repository.flip("Packages/ed-1.20-3.x86_64.rpm")
        let after = try await repository.checksum("Packages/ed-1.20-3.x86_64.rpm")
        try await fail(
            repository.location, as: .packageFileUnusable,
            because: unusable(repository, "it has the checksum \(after) instead of \(before)"))
    }

    @Test("several packages that cannot be used are counted, and the first is named")
    func severalMissingPackages() async throws {
        let repository = try repository()
        for name in ["ed-1.20-3.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"] { try repository.remove("Packages/\(name).rpm") }
        try await fail(
            repository.location, as: .packageFileUnusable,
            because: "3 package files in the repository \(repository.location) cannot be used. The repository may have changed since its "
                + "metadata was made. The first of them: \(unusable(repository, "it does not exist"))")
    }
}
