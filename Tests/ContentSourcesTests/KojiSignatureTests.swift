import ComposeModel
import Foundation
import Glibc
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Signed copies of Koji's packages", .serialized)
struct KojiSignatureTests {
    /// The same tree as a directory and at an address.
    private func with(_ body: (KojiTree, KojiPackageSource, FileServer?) async throws -> Void) async throws {
        try await Workbench.with { bench in
            let tree = try await KojiTree(bench.sources.appending("topdir"))
            try await body(tree, bench.koji(.directory(tree.topdir)), nil)
            try await FileServer.with(bench.sources) { server in
                try await body(
                    tree, bench.koji(RepositoryLocation("\(server.address)/topdir"), prefixes: [server.address], headers: "remote"), server)
            }
        }
    }

    @Test("keys are taken in their order, in either length and case")
    func order() async throws {
        try await with { tree, source, _ in
            let package = try tree.package("ed-1.14.3-1.fc26.x86_64")
            #expect(package.keys.sorted() == ["0b3e5524", "b0234768"])
            for (wanted, key) in [
                (["0b3e5524", "b0234768"], "0b3e5524"), (["B0234768", "0b3e5524"], "b0234768"),
                (["ffffffff", "12345678B0234768"], "b0234768"),
                (["ffffffff", ""], ""), (["", "0b3e5524"], ""),
            ] {
                let choice = try await source.copies(of: [package], signedBy: wanted)
                #expect(choice.copies.map(\.key) == [key], "\(wanted)")
                #expect(choice.copies.map(\.path) == [package.path(signedBy: key)])
                #expect(choice.copies.map(\.size) == [Int(try tree.file(package, key: key).stat().size)])
                #expect(choice.unsigned.isEmpty)
            }
        }
    }

    @Test("a package without any of the keys is returned with those that it has")
    func unsigned() async throws {
        try await with { tree, source, server in
            let packages = [try tree.package("ed-1.14.3-1.fc26.x86_64"), try tree.package("ed-1.14.2-1.fc26.x86_64")]
            let choice = try await source.copies(of: packages, signedBy: ["ffffffff"])
            #expect(choice.copies.isEmpty)
            #expect(choice.unsigned.map(\.package) == packages)
            #expect(choice.unsigned.map { $0.keys.sorted() } == [["0b3e5524", "b0234768"], []])
            #expect(server?.requests.isEmpty ?? true)
        }
    }

    @Test("a signature whose file is not there, or is none, counts as missing; the next key is taken")
    func pruned() async throws {
        try await with { tree, source, server in
            let package = try tree.package("ed-1.14.3-1.fc26.i686")
            let file = tree.file(package, key: "0b3e5524")
            let bytes = try file.contents()
            unlink(file.string)
            var choice = try await source.copies(of: [package], signedBy: ["0b3e5524", "b0234768"])
            #expect(choice.copies.map(\.key) == ["b0234768"])
            try file.write("garbage")
            choice = try await source.copies(of: [package], signedBy: ["0b3e5524"])
            #expect(choice.copies.isEmpty)
            #expect(choice.unsigned.map(\.missing) == [["0b3e5524"]])
            try file.write(bytes)
            #expect(server == nil || server?.requests.map(\.range) == ["bytes=0-111", "bytes=0-111", "bytes=0-111"])
        }
    }

    @Test("an unsigned file that was asked for and is not there is named")
    func noFile() async throws {
        try await with { tree, source, _ in
            let package = try tree.package("ed-1.14.3-1.fc26.aarch64")
            unlink(tree.file(package).string)
            let failure = await #expect(throws: ComposeFailure.self) { try await source.copies(of: [package], signedBy: [""]) }
            #expect(failure?.message.contains("ed-1.14.3-1.fc26.aarch64") == true)
            #expect(failure?.message.hasSuffix("cannot be used: it does not exist.") == true)
        }
    }
}
