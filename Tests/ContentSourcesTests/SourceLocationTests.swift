import ComposeModel
import Foundation
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Where a repository is")
struct SourceLocationTests {
    @Test(
        "what means the same is the same location, shown in its normal form",
        arguments: [
            ("/srv/repo", "/srv/repo"), ("/srv//repo/", "/srv/repo"), ("/srv/./repo", "/srv/repo"),
            ("file:///srv/my%20repo", "/srv/my repo"),
            ("file://localhost/srv/repo/", "/srv/repo"), ("https://Example.COM/repo/", "https://example.com/repo"),
            ("HTTPS://example.com:443/repo", "https://example.com/repo"), ("http://example.com:8080//a/./b", "http://example.com:8080/a/b"),
            ("https://example.com/f39+updates", "https://example.com/f39+updates"), ("https://example.com/%66", "https://example.com/f"),
            ("http://[::1]:81/r", "http://[::1]:81/r"), ("https://example.com", "https://example.com/"),
        ])
    func normalForm(text: String, shown: String) throws {
        let location = try RepositoryLocation(text)
        #expect(location.description == shown)
        #expect(try RepositoryLocation(shown) == location)
        #expect(try JSONDecoder().decode(RepositoryLocation.self, from: JSONEncoder().encode(location)) == location)
    }

    @Test(
        "what is no location is refused with the reason",
        arguments: [
            ("", "absolute path"), ("srv/repo", "absolute path"), ("/srv/../etc", "step upwards"), ("file://host/srv", "three slashes"),
            ("ftp://example.com/repo", "neither http:// nor https://"), ("https://", "not a complete address"),
            ("https://user:secret@example.com/", "user name or password"),
            ("https://allowed.example@evil.example/", "user name or password"),
            ("https://example.com/a/../b", "step upwards"), ("https://example.com/a/%2e%2E/b", "step upwards"),
            ("https://example.com/a%2fb", "escaped slash"), ("https://example.com\\@evil.example/", "backslash"),
            ("https://example.com/?token=secret", "after ? or #"), ("https://example.com/#x", "after ? or #"),
            ("https://example.com/a b", "space"), ("https://example.com/%00", "control character"), ("/srv/\u{7}", "control character"),
            ("file:///srv/a%0Ab", "control character"), ("file:///srv/a%00", "control character"), ("file:///srv/%7f", "control character"),
        ])
    func refused(text: String, reason: String) {
        let failure = #expect(throws: ComposeFailure.self) { try RepositoryLocation(text) }
        #expect(failure?.code == .sourceNotUsable)
        #expect(failure?.isTransient == false)
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("secret") == false)
    }
}

@Suite("What may be read")
struct SourceAccessTests {
    private func access() throws -> SourceAccess {
        try SourceAccess(
            allowedRoots: [FilePath(FileManager.default.temporaryDirectory.path)],
            allowedURLPrefixes: ["https://example.com/composes", "http://mirror.example:8080/"])
    }

    @Test(
        "an allowed prefix allows itself and what lies below it, by whole names",
        arguments: [
            "https://example.com/composes", "https://example.com/composes/f39/os", "https://EXAMPLE.com:443/composes/x",
            "http://mirror.example:8080/anything",
        ])
    func allowedAddress(text: String) throws {
        try access().authorize(RepositoryLocation(text))
    }

    @Test(
        "another scheme, host, port or path is not allowed",
        arguments: [
            "https://example.com/composes-evil", "https://example.com/", "http://example.com/composes", "https://example.com:8443/composes",
            "https://example.com.evil.example/composes", "https://sub.example.com/composes", "http://mirror.example/", "http://127.0.0.1/",
        ])
    func refusedAddress(text: String) throws {
        let access = try access()
        let location = try RepositoryLocation(text)
        let failure = #expect(throws: ComposeFailure.self) { try access.authorize(location) }
        #expect(failure?.code == .sourceNotUsable)
        #expect(
            failure?.message
                == "The repository \(location) may not be read: this service reads only repositories at addresses that its configuration lists, and "
                + "this address is not among them. A repository that also lies on this service's disks may be given by its path. "
                + "Otherwise its operator can allow it.")
    }

    @Test("a directory outside of the roots is not allowed, and the message names no directory but the one asked for")
    func refusedDirectory() throws {
        let access = try SourceAccess(allowedRoots: ["/usr/share"], allowedURLPrefixes: [])
        for path in ["/etc", "/usr", "/usr/share-evil/repo", "/"] {
            let location = try RepositoryLocation(path)
            let failure = #expect(throws: ComposeFailure.self) { try access.authorize(location) }
            #expect(
                failure?.message
                    == "The repository \(path) may not be read: this service reads only repositories in local directories that its configuration "
                    + "lists, and this directory is not among them. Otherwise its operator can allow it.")
        }
        try access.authorize(RepositoryLocation("/usr/share/repo"))
        let url = try RepositoryLocation("https://example.com/")
        let failure = #expect(throws: ComposeFailure.self) { try access.authorize(url) }
        #expect(failure?.message.contains("allows no addresses at all") == true)
    }

    @Test("a root that is a symbolic link can be named by the link and by what it points to")
    func linkedRoot() async throws {
        try await Workbench.with { bench in
            let link = bench.directory.appending("link")
            try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: bench.sources.string)
            let access = try SourceAccess(allowedRoots: [link], allowedURLPrefixes: [])
            try bench.sources.appending("file").write("inside")
            for start in [link, bench.sources] {
                let path = try #require(access.confine(start.appending("file")))
                #expect(try path.open().size == 6)
            }
        }
    }

    @Test("a configuration that cannot be meant is refused at the start")
    func configuration() {
        #expect(throws: SourceAccess.ConfigurationError.self) { try SourceAccess(allowedRoots: ["srv"], allowedURLPrefixes: []) }
        #expect(throws: SourceAccess.ConfigurationError.self) { try SourceAccess(allowedRoots: ["/none/such"], allowedURLPrefixes: []) }
        #expect(throws: SourceAccess.ConfigurationError.self) { try SourceAccess(allowedRoots: [], allowedURLPrefixes: ["example.com"]) }
        #expect(throws: SourceAccess.ConfigurationError.self) { try SourceAccess(allowedRoots: [], allowedURLPrefixes: ["https://a:b@h/"]) }
    }
}
