import ComposeModel
import ContentSources
import Foundation
import Modules
import SystemPackage
import Testing

@testable import ComposeWorker

/// Defaults of modules from a git repository, as a request names it.
@Suite("Module defaults")
struct ModuleDefaultsTests {
    private static func document(_ module: String, stream: String) -> String {
        "document: modulemd-defaults\nversion: 1\ndata:\n  module: \(module)\n  stream: \"\(stream)\"\n"
    }

    /// Makes a git repository with two commits; returns the name of the first.
    private func makeOrigin(_ place: Workplace) async throws -> String {
        try place.write(Self.document("httpd", stream: "2.4"), to: "origin/httpd.yaml")
        try place.write(Self.document("nodejs", stream: "8"), to: "origin/nodejs.yaml")
        try place.write("not for us\n", to: "origin/README.md")
        try await place.run("git", ["init", "--quiet", "--initial-branch=main"], in: "origin")
        try await commit(place)
        let first = try await place.run("git", ["rev-parse", "HEAD"], in: "origin").trimmingCharacters(in: .whitespacesAndNewlines)
        try place.write(Self.document("nodejs", stream: "10"), to: "origin/overrides/nodejs.yaml")
        try await commit(place)
        return first
    }

    private func commit(_ place: Workplace) async throws {
        try await place.run("git", ["add", "."], in: "origin")
        try await place.run(
            "git", ["-c", "user.name=me", "-c", "user.email=me@example.org", "commit", "--quiet", "--message=more"], in: "origin")
    }

    private func fetch(_ place: Workplace, _ revision: String, allowed: Bool = true) async throws -> (ModuleDefaultsPin, ModuleMetadata) {
        let access = try SourceAccess(allowedRoots: allowed ? [place.directory] : [], allowedURLPrefixes: [])
        let directory = place.directory.appending("checkout-\(UUID().uuidString)")
        let fetched = try await ModuleDefaultsFetcher(access: access, log: place.log)
            .fetch(place.directory.appending("origin").string, at: revision, into: directory)
        #expect(!FileManager.default.fileExists(atPath: directory.string))
        return fetched
    }

    private func streams(_ metadata: ModuleMetadata) -> [String: String?] {
        Dictionary(uniqueKeysWithValues: metadata.defaults.map { ($0.module, $0.stream) })
    }

    @Test("they are those of a commit, whose full name is pinned, and the folder overrides goes before the others")
    func commits() async throws {
        try await Workplace.with { place in
            let first = try await makeOrigin(place)
            let (pin, defaults) = try await fetch(place, String(first.prefix(8)))
            #expect(pin.commit == first)
            #expect(streams(defaults) == ["httpd": "2.4", "nodejs": "8"])
            let (_, newer) = try await fetch(place, "main")
            #expect(streams(newer) == ["httpd": "2.4", "nodejs": "10"])
        }
    }

    @Test("an address that may not be read, a commit that is not there, and a document that is broken are named")
    func wrong() async throws {
        try await Workplace.with { place in
            _ = try await makeOrigin(place)
            let forbidden = await #expect(throws: ComposeFailure.self) { _ = try await fetch(place, "main", allowed: false) }
            #expect(forbidden?.code == .sourceNotUsable)
            let absent = await #expect(throws: ComposeFailure.self) { _ = try await fetch(place, "gone") }
            #expect(absent?.message.contains("has no commit, branch or tag gone.") == true, "\(absent?.message ?? "")")
            try place.write("document: modulemd-defaults\nversion: 1\ndata: [\n", to: "origin/httpd.yaml")
            try await commit(place)
            let broken = await #expect(throws: ComposeFailure.self) { _ = try await fetch(place, "main") }
            #expect(broken?.code == .metadataCorrupt)
            #expect(
                broken?.message.hasPrefix("The module defaults cannot be used: httpd.yaml is broken.") == true, "\(broken?.message ?? "")")
        }
    }

    @Test("a link that leads out of the repository is not followed")
    func links() async throws {
        try await Workplace.with { place in
            _ = try await makeOrigin(place)
            try FileManager.default.createSymbolicLink(
                atPath: place.directory.appending("origin/secret.yaml").string, withDestinationPath: "/etc/passwd")
            try await commit(place)
            let failure = await #expect(throws: ComposeFailure.self) { _ = try await fetch(place, "main") }
            #expect(failure?.message.contains("secret.yaml is no file of UTF-8 text") == true, "\(failure?.message ?? "")")
        }
    }
}
