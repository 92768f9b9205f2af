import ComposeModel
import Foundation
import SystemPackage
import Testing

/// Which packages come along with those that are asked for.
@Suite(.sharedService, .timeLimit(.minutes(5))) struct DependencyTests {
    private let ed = ["ed-1.20-3.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"]

    @Test("no_deps takes exactly what is named")
    func noDeps() async throws {
        let compose = try await SharedService.compose("ed", "--no-deps")
        #expect(try compose.packages() == ["ed-1.20-3.x86_64"])
        #expect(try compose.packages("x86_64/debug/tree") == ["ed-debuginfo-1.20-3.x86_64", "ed-debugsource-1.20-3.x86_64"])
        #expect(try compose.packages("source/tree") == ["ed-1.20-3.src"])
        #expect(compose.reason == ["Done: 4 packages."])
    }

    @Test("a requirement that nothing provides is reported, with who comes nearest")
    func missing() async throws {
        let compose = try await SharedService.compose("broken-app")
        #expect(compose.state == "done")
        #expect(
            compose.reason == [
                "Done: 2 packages.",
                "Nothing provides libed >= 99, which broken-app-0.1-1.x86_64 requires; nearest: "
                    + "libed-1.1-2.x86_64 provides libed = 1.1-2, libed-1.1-2.i686 provides libed = 1.1-2, libed-1.0-1.x86_64 provides libed = 1.0-1.",
                "Nothing provides libmissing.so.9()(64bit), which broken-app-0.1-1.x86_64 requires.",
            ])
        #expect(try compose.packages() == ["broken-app-0.1-1.x86_64"])
    }

    @Test("with check_deps it fails the compose, in words and as data")
    func checkDeps() async throws {
        let compose = try await SharedService.compose("ed", "broken-app", "--check-deps")
        #expect(compose.state == "failed")
        let nearest = [
            "libed-1.1-2.x86_64 provides libed = 1.1-2", "libed-1.1-2.i686 provides libed = 1.1-2",
            "libed-1.0-1.x86_64 provides libed = 1.0-1",
        ]
        #expect(
            compose.reason == [
                "Not everything in this compose can be installed, and check_deps is set:",
                "Nothing provides libed >= 99, which broken-app-0.1-1.x86_64 requires; nearest: \(nearest.joined(separator: ", ")).",
                "Nothing provides libmissing.so.9()(64bit), which broken-app-0.1-1.x86_64 requires.",
                "Nothing provides /bin/sh, which ed-1.20-3.x86_64 requires.",
            ])
        let failure = try #require(compose.document.failure)
        #expect(failure.code == .brokenDependencies)
        #expect(failure.message == compose.document.stateReason)
        #expect(!failure.isTransient)
        #expect(
            failure.details == [
                .init(package: "broken-app-0.1-1.x86_64", arch: "x86_64", requirement: "libed >= 99", nearest: nearest),
                .init(package: "broken-app-0.1-1.x86_64", arch: "x86_64", requirement: "libmissing.so.9()(64bit)", nearest: []),
                .init(package: "ed-1.20-3.x86_64", arch: "x86_64", requirement: "/bin/sh", nearest: []),
            ])
        #expect(!FileManager.default.fileExists(atPath: compose.directory.string))
    }

    @Test("check_deps with no_deps fails what only the left-out packages would have made installable")
    func checkedNoDeps() async throws {
        let compose = try await SharedService.compose("ed-vi", "--no-deps", "--check-deps")
        #expect(compose.state == "failed")
        #expect(
            compose.reason == [
                "Not everything in this compose can be installed, and check_deps is set:",
                "Nothing provides libed.so.1()(64bit), which ed-vi-4.2-1.x86_64 requires.",
            ])
    }

    @Test("lookaside packages satisfy requirements and are in no tree")
    func lookaside() async throws {
        let compose = try await SharedService.compose("ed", "--check-deps", "--lookaside=\(Checkout.lookaside)")
        #expect(compose.reason == ["Done: 9 packages."])
        #expect(try compose.packages() == ed)
        #expect(try compose.files().allSatisfy { !$0.contains("tinysh") })
        #expect(try compose.lock.sources.map(\.lookaside) == [false, true])
    }

    @Test("several repositories are one source")
    func severalRepositories() async throws {
        let compose = try await SharedService.current.compose(from: "\(Checkout.testsRepo) \(Checkout.lookaside)", ["ed", "--check-deps"])
        #expect(compose.reason == ["Done: 12 packages."])
        #expect(try compose.packages() == ed + ["tinysh-0.5-1.x86_64", "tinysh-data-0.5-1.noarch"])
        let lock = try compose.lock
        #expect(lock.sources.map(\.location) == [Checkout.testsRepo.string, Checkout.lookaside.string])
        for package in lock.packages {
            #expect(package.repomd == lock.sources[package.nevra.hasPrefix("tinysh") ? 1 : 0].repomd)
        }
    }

    @Test("two packages that conflict with each other can both be asked for, and each can be installed")
    func conflict() async throws {
        let compose = try await SharedService.compose("ed-gui-qt", "ed-gui-gtk", "--check-deps")
        #expect(compose.reason == ["Done: 10 packages."])
        #expect(
            try compose.packages() == [
                "ed-gui-2.1-1.x86_64", "ed-gui-gtk-2.1-1.x86_64", "ed-gui-qt-2.1-1.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch",
                "libed-plugins-1.1-2.x86_64",
            ])
        let dnf: [String: [String]?] = try await PythonScript.dnfInstallable.run(compose.url("x86_64/os"), "ed-gui-qt", "ed-gui-gtk")
        let shared = ["ed-gui-2.1-1.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"]
        #expect(dnf["ed-gui-qt"] == (shared + ["ed-gui-qt-2.1-1.x86_64", "libed-plugins-1.1-2.x86_64"]).sorted())
        #expect(dnf["ed-gui-gtk"] == (shared + ["ed-gui-gtk-2.1-1.x86_64"]).sorted())
    }

    @Test("a rich dependency brings what it asks for, and nothing while its condition does not hold")
    func rich() async throws {
        let tools = ["ed-tools-1.0-1.noarch", "ed-vi-4.2-1.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"]
        #expect(try await SharedService.compose("ed-tools").packages() == tools)
        let withCondition = try await SharedService.compose("ed-tools", "ed-gui")
        #expect(try withCondition.packages() == (tools + ["ed-gui-2.1-1.x86_64", "libed-plugins-1.1-2.x86_64"]).sorted())
    }

    @Test("a required file brings its owner, whichever of the metadata lists it")
    func files() async throws {
        let compose = try await SharedService.compose("ed-spell")
        #expect(try compose.packages() == ["ed-dictionary-2.0-1.noarch", "ed-spell-1.0-1.noarch", "ed-words-1.3-1.noarch"])
        let why = try compose.lock.why
        #expect(why["ed-dictionary-1:2.0-1.noarch"] == "required by ed-spell-1.0-1.noarch (/usr/share/ed/dictionary)")
        #expect(why["ed-words-1.3-1.noarch"] == "required by ed-spell-1.0-1.noarch (/usr/bin/ed-words)")
    }

    @Test("the newest version is not taken where an older one is required")
    func upperBound() async throws {
        #expect(try await SharedService.compose("ed-classic").packages() == ["ed-classic-0.9-4.x86_64", "libed-1.0-1.x86_64"])
    }

    @Test("what obsoletes a required package takes its place; one asked for by name stays itself")
    func obsoletes() async throws {
        #expect(try await SharedService.compose("ed-macros").packages() == ["ed-macros-1.0-1.noarch", "ed-ng-3.0-1.noarch"])
        #expect(try await SharedService.compose("ed-legacy").packages() == ["ed-legacy-2.0-7.noarch"])
    }
}
