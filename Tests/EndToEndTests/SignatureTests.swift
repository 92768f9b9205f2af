import ComposeModel
import Foundation
import SystemPackage
import Testing

/// Signatures of packages, which a request may insist on, and of the metadata, which a configuration may ask for.
@Suite struct SignatureTests {
    @Suite(.sharedService, .timeLimit(.minutes(5))) struct UnsignedPackages {
        @Test("packages that none of the sigkeys has signed fail the compose by name, whichever tree they are in")
        func refused() async throws {
            let compose = try await SharedService.compose("ed", "--no-deps", "--sigkey=ABCDEF01", "--sigkey=0123456789abcdef")
            #expect(compose.state == "failed")
            #expect(
                compose.document.stateReason
                    == "4 packages are not signed by any of the keys ABCDEF01, 0123456789abcdef: ed-1.20-3.x86_64 is not signed; "
                    + "ed-debuginfo-1.20-3.x86_64 is not signed; ed-debugsource-1.20-3.x86_64 is not signed; ed-1.20-3.src is not signed. "
                    + "An empty key among the sigkeys allows packages that none of the others has signed.")
            let failure = try #require(compose.document.failure)
            #expect(failure.code == .packageFileUnusable)
            #expect(
                failure.details.map(\.package) == [
                    "ed-1.20-3.x86_64", "ed-debuginfo-1.20-3.x86_64", "ed-debugsource-1.20-3.x86_64", "ed-1.20-3.src",
                ])
        }

        @Test("an empty sigkey allows them")
        func allowed() async throws {
            let compose = try await SharedService.compose("ed", "--no-deps", "--sigkey=ABCDEF01", "--sigkey", "")
            #expect(compose.reason == ["Done: 4 packages."])
        }
    }

    @Test("packages signed by one of the sigkeys are taken, its id short or long and in any case", .timeLimit(.minutes(5)))
    func signedPackages() async throws {
        try await SigningKey.with { key in
            try await SharedService.with(more: "") { shared in
                for package in ["ed-words-1.3-1.noarch.rpm", "ed-words-1.3-1.src.rpm"] {
                    let copy = shared.sources.appending(package)
                    try FileManager.default.copyItem(
                        atPath: Checkout.testsRepo.appending("Packages/\(package)").string, toPath: copy.string)
                    try await key.sign(package: copy)
                }
                let source = shared.sources.string
                try await Program.succeed("createrepo_c", "--quiet", "--no-database", source)
                for id in [key.id, key.id.lowercased(), String(key.id.suffix(8)), String(key.id.suffix(8)).lowercased()] {
                    let compose = try await shared.compose(from: source, ["ed-words", "--sigkey=00000000", "--sigkey=\(id)"])
                    #expect(compose.reason == ["Done: 2 packages."])
                }
                let wrong = try await shared.compose(from: source, ["ed-words", "--sigkey=00000000"])
                #expect(wrong.state == "failed")
                #expect(wrong.document.stateReason?.contains("ed-words-1.3-1.noarch is signed by \(key.id.lowercased())") == true)
            }
        }
    }

    @Test("dnf verifies the signed metadata by the key that the .repo file names, and refuses it after a change", .timeLimit(.minutes(5)))
    func signedMetadata() async throws {
        try await SigningKey.with { key in
            let configuration = "signing: {key: \(key.id), home: \"\(key.home)\"}\ncomposes: {gpgcheck: true}"
            try await SharedService.with(more: configuration) { shared in
                let compose = try await shared.compose(from: Checkout.testsRepo.string, ["ed"])
                let repoFile = try compose.text("compose/Temporary/\(compose.layout.directory).repo")
                #expect(repoFile.matches(of: /\ngpgcheck=1\nrepo_gpgcheck=1\n/).count == 3)
                #expect(repoFile.matches(of: /\ngpgkey=http\S+\/repodata\/repomd.xml.key\n/).count == 3)
                try await Dnf.with { dnf in
                    try await dnf.add(compose, by: shared.server)
                    for (id, tree) in [("", "x86_64/os"), ("-debuginfo", "x86_64/debug/tree"), ("-source", "source/tree")] {
                        #expect(try await dnf.packages(in: compose.layout.directory + id).packages == compose.packages(tree))
                    }
                }

                let repomd = compose.repository("x86_64/os/repodata/repomd.xml").string
                let text = try String(contentsOfFile: repomd, encoding: .utf8)
                try text.replacing("<revision>", with: "<revision>1").write(toFile: repomd, atomically: true, encoding: .utf8)
                try await Dnf.with { dnf in
                    try await dnf.add(compose, by: shared.server)
                    let refusal = try await dnf.run("--repo=\(compose.layout.directory)", "makecache")
                    #expect(!refusal.isSuccess)
                    #expect(refusal.complaints.contains("Bad GPG signature"), "\(refusal)")
                }
            }
        }
    }

    @Test("a key that is not there fails the compose, without a path of the server", .timeLimit(.minutes(5)))
    func noKey() async throws {
        try await SigningKey.with { key in
            try await SharedService.with(more: "signing: {key: nobody@example.com, home: \"\(key.home)\"}") { shared in
                let compose = try await shared.compose(from: Checkout.testsRepo.string, ["ed"])
                #expect(compose.document.failure?.code == .signing)
                #expect(compose.document.stateReason?.contains("nobody@example.com") == true)
                #expect(compose.document.stateReason?.contains("/") == false)
                #expect(!FileManager.default.fileExists(atPath: compose.directory.string))
            }
        }
    }
}
