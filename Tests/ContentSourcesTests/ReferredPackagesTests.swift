import ComposeModel
import Foundation
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Packages that metadata refers to somewhere else")
struct ReferredPackagesTests {
    private static let base = "https://koji.example.com/topdir/"

    private func file(_ access: SourceAccess, base: String = base, _ href: String = "packages/ed/ed.rpm") throws(TransferProblem)
        -> SourceFile
    {
        guard let url = try? RepositoryURL("https://example.com/repo") else { throw .missing }
        return try SourceTree.address(url, access).file(href, base: base)
    }

    @Test("they are read below the configured address alone, and no request can name a repository there")
    func remote() throws {
        let access = try SourceAccess(allowedRoots: [], allowedURLPrefixes: ["https://example.com"])
        let following = try access.followingReferences(to: "https://koji.example.com/topdir", in: nil)
        #expect(try file(following) == .remote(RepositoryURL("https://koji.example.com/topdir/packages/ed/ed.rpm")))
        #expect(throws: TransferProblem.self) { try file(access) }
        for (base, href) in [
            ("https://koji.example.com/topdir-2/", "x.rpm"), ("https://koji.example.com/", "x.rpm"), (Self.base, "../x.rpm"),
            ("http://koji.example.com/topdir/", "x.rpm"),
        ] {
            #expect(throws: TransferProblem.self, "\(base)\(href)") { try file(following, base: base, href) }
        }
        let location = try RepositoryLocation("https://koji.example.com/topdir/repos/f26")
        #expect(throws: ComposeFailure.self) { try following.authorize(location) }
    }

    @Test("where the files lie on this host, they are taken from there, and none leads out of the directory")
    func local() async throws {
        try await Workbench.with { bench in
            let topdir = bench.directory.appending("topdir")
            try topdir.appending("packages").createDirectory()
            try topdir.appending("packages/ed.rpm").write("ed")
            try bench.outside.appending("x.rpm").write("x")
            let following = try bench.access(["https://example.com"]).followingReferences(to: Self.base, in: topdir)
            guard case .local(let found) = try file(following, "packages/ed.rpm") else {
                Issue.record("it would be fetched")
                return
            }
            #expect(try found.path.open().size == 2)
            guard case .local(let wrong) = try file(following, "../outside/x.rpm") else { return }
            #expect(throws: ConfinedPath.Refusal.leadsOut) { try wrong.path.open() }
        }
    }
}
