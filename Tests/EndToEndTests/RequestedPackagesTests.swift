import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// What the words of `packages` mean, and what happens when they mean nothing.
@Suite(.sharedService, .timeLimit(.minutes(5))) struct RequestedPackagesTests {
    @Test("a glob takes the best version of each name that it matches")
    func glob() async throws {
        let compose = try await SharedService.compose("libed*", "--no-deps")
        #expect(
            try compose.packages() == [
                "libed++-1.1-1.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch", "libed-devel-1.1-2.x86_64",
                "libed-plugins-1.1-2.x86_64", "libed-static-1.1-2.x86_64",
            ])
    }

    @Test("a name that only a source package has means all that is built from it")
    func sourcePackage() async throws {
        let compose = try await SharedService.compose("ed-suite")
        #expect(
            try compose.packages() == ["ed-emacs-4.2-1.x86_64", "ed-vi-4.2-1.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"])
        #expect(try compose.lock.why["ed-vi-4.2-1.x86_64"] == "built from ed-suite, requested by ed-suite")
        #expect(try compose.packages("source/tree") == ["ed-suite-4.2-1.src", "libed-1.1-2.src"])
    }

    @Test("an epoch makes a version newer than any number does")
    func epoch() async throws {
        let compose = try await SharedService.compose("ed-dictionary")
        #expect(try compose.packages() == ["ed-dictionary-2.0-1.noarch"])
        #expect(try compose.lock.why["ed-dictionary-1:2.0-1.noarch"] == "requested by ed-dictionary")
    }

    @Test("a version can be asked for by name")
    func version() async throws {
        #expect(try await SharedService.compose("ed-dictionary-20190101").packages() == ["ed-dictionary-20190101-1.noarch"])
        #expect(try await SharedService.compose("libed-1.0-1.x86_64").packages() == ["libed-1.0-1.x86_64"])
    }

    @Test("a name with characters that patterns and addresses escape is a name like any other")
    func plusPlus() async throws {
        let compose = try await SharedService.compose("libed++", "--no-deps")
        #expect(try compose.packages() == ["libed++-1.1-1.x86_64"])
    }

    @Test("without packages, everything in the source is in the compose, and what lacks something is named")
    func everything() async throws {
        let compose = try await SharedService.compose()
        let all = try FinishedCompose.files(below: Checkout.testsRepo.appending("Packages")).map { String(FilePath($0).stem!) }
        let binaries = all.filter { $0.hasSuffix(".x86_64") || $0.hasSuffix(".noarch") }
        #expect(try compose.packages() == binaries.filter { !$0.contains("-debug") })
        #expect(try compose.packages("x86_64/debug/tree") == binaries.filter { $0.contains("-debug") })
        #expect(try compose.packages("source/tree") == all.filter { $0.hasSuffix(".src") })
        #expect(
            compose.reason == [
                "Done: 47 packages.",
                "Nothing provides libed >= 99, which broken-app-0.1-1.x86_64 requires; nearest: "
                    + "libed-1.1-2.x86_64 provides libed = 1.1-2, libed-1.1-2.i686 provides libed = 1.1-2, libed-1.0-1.x86_64 provides libed = 1.0-1.",
                "Nothing provides libmissing.so.9()(64bit), which broken-app-0.1-1.x86_64 requires.",
                "Nothing provides /bin/sh, which ed-1.20-3.x86_64 requires.",
            ])
    }

    @Test("packages that are nowhere fail the compose, each with the architectures and the nearest names, in words and as data")
    func unknown() async throws {
        let compose = try await SharedService.compose("libedd", "ed", "zzz", "--arch=x86_64", "--arch=aarch64")
        #expect(compose.state == "failed")
        #expect(
            compose.reason == [
                "libedd is not there for x86_64, aarch64; nearest: libed, libed++.",
                "zzz is not there for x86_64, aarch64.",
            ])
        let failure = try #require(compose.document.failure)
        #expect(failure.code == .packageNotFound)
        #expect(failure.message == compose.document.stateReason)
        #expect(
            failure.details == [
                .init(package: "libedd", arch: "x86_64", nearest: ["libed", "libed++"]),
                .init(package: "libedd", arch: "aarch64", nearest: ["libed", "libed++"]),
                .init(package: "zzz", arch: "x86_64", nearest: []), .init(package: "zzz", arch: "aarch64", nearest: []),
            ])
        #expect(!FileManager.default.fileExists(atPath: compose.directory.string))
        let server = try SharedService.current.server
        let log = try await server.http(.GET, "\(compose.document.toplevelURL)/pungi-stderr.log")
        #expect(log.text.contains("ERROR libedd is not there for x86_64, aarch64; nearest: libed, libed++."))
    }

    @Test("a package that is there for one of the architectures only is reported and does not fail the compose")
    func oneArchitectureOnly() async throws {
        let compose = try await SharedService.compose("ed-vi", "libed", "--arch=x86_64", "--arch=aarch64")
        #expect(compose.reason == ["Done: 9 packages.", "ed-vi is not there for aarch64."])
        #expect(try compose.packages("x86_64/os") == ["ed-vi-4.2-1.x86_64", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"])
        #expect(try compose.packages("aarch64/os") == ["libed-1.0-1.aarch64"])
    }
}
