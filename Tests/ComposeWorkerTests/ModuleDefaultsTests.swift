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

    private func fetch(_ place: Workplace, _ revision: String) async throws -> (ModuleDefaultsPin, ModuleMetadata) {
        let directory = place.directory.appending("checkout-\(UUID().uuidString)")
        var fetcher = ModuleDefaultsFetcher(access: try SourceAccess(allowedRoots: [], allowedURLPrefixes: []), log: place.log)
        fetcher.protocols = ["file"]
        defer { #expect(!FileManager.default.fileExists(atPath: directory.string)) }
        return try await fetcher.fetch(from: "file://\(place.directory)/origin", at: revision, into: directory)
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
            for address in ["https://git.example.com/defaults.git", place.directory.appending("origin").string] {
                let access = try SourceAccess(allowedRoots: [place.directory], allowedURLPrefixes: [])
                let forbidden = await #expect(throws: ComposeFailure.self) {
                    _ = try await ModuleDefaultsFetcher(access: access, log: place.log)
                        .fetch(address, at: "main", into: place.directory.appending("none"))
                }
                #expect(forbidden?.code == .sourceNotUsable)
            }
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

    @Test("a link is not followed, whether it is a document or the folder of overrides")
    func links() async throws {
        try await Workplace.with { place in
            _ = try await makeOrigin(place)
            let origin = place.directory.appending("origin").string
            try FileManager.default.removeItem(atPath: origin + "/overrides")
            try FileManager.default.createSymbolicLink(atPath: origin + "/overrides", withDestinationPath: "..")
            try place.write(Self.document("secret", stream: "1"), to: "secret.yaml")
            try await commit(place)
            #expect(streams(try await fetch(place, "main").1) == ["httpd": "2.4", "nodejs": "8"])
            try FileManager.default.createSymbolicLink(atPath: origin + "/secret.yaml", withDestinationPath: "../secret.yaml")
            try await commit(place)
            let failure = await #expect(throws: ComposeFailure.self) { _ = try await fetch(place, "main") }
            #expect(
                failure?.message.hasSuffix("cannot be used: secret.yaml is no file, but a link or a module of git's.") == true,
                "\(failure?.message ?? "")")
        }
    }
}
