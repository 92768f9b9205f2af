import Foundation
import Glibc
import HTTPTypes
import HummingbirdTesting
import SystemPackage
import Testing

@testable import ComposeFrontend

/// The files of composes.
@Suite struct StaticComposesTests {
    private static func withCompose(_ body: @escaping @Sendable (FrontendFixture) async throws -> Void) async throws {
        try await FrontendFixture.with { frontend in
            try frontend.write("odcs-12-1-20261121.t.0", to: "odcs-12/COMPOSE_ID")
            try frontend.write("[odcs-12]\n", to: "odcs-12/compose/Temporary/odcs-12.repo")
            try frontend.write("0123456789", to: "odcs-12/compose/data.gz")
            try frontend.write("secret", to: ".work/odcs-13.token/x")
            try frontend.write("secret", to: "stray/x")
            let files = FileManager.default
            try files.createSymbolicLink(atPath: frontend.target.appending("latest-odcs-12-1").string, withDestinationPath: "odcs-12")
            try await body(frontend)
        }
    }

    @Test(
        "files are served by name, by either name of the compose, with their type",
        arguments: [
            ("odcs-12/COMPOSE_ID", "odcs-12-1-20261121.t.0", "text/plain"),
            ("latest-odcs-12-1/COMPOSE_ID", "odcs-12-1-20261121.t.0", "text/plain"),
            ("odcs-12/compose/Temporary/odcs-12.repo", "[odcs-12]\n", "text/plain"),
            ("odcs-12//compose/data.gz", "0123456789", "application/gzip"),
            ("odcs-12/compose/data%2Egz", "0123456789", "application/gzip"),
        ])
    func files(path: String, content: String, type: String) async throws {
        try await Self.withCompose { frontend in
            let answer = try await frontend.get("/composes/\(path)")
            #expect(answer.status == 200)
            #expect(answer.text == content)
            #expect(answer.headers[.contentType] == type)
            #expect(answer.headers[.contentLength] == "\(content.utf8.count)")
            #expect(answer.headers[.accessControlAllowOrigin] == "*")
            let head = try await frontend.request(.head, "/composes/\(path)")
            #expect(head.status == 200)
            #expect(head.text == "")
            #expect(head.headers[.contentLength] == "\(content.utf8.count)")
        }
    }

    /// Root may read every file.
    @Test("a file or directory that the server may not read is not there", .enabled(if: geteuid() != 0))
    func unreadable() async throws {
        try await Self.withCompose { frontend in
            for path in ["odcs-12/COMPOSE_ID", "odcs-12/compose"] {
                try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: frontend.target.appending(path).string)
                #expect(try await frontend.get("/composes/\(path)").status == 404, "\(path)")
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: frontend.target.appending(path).string)
                #expect(try await frontend.get("/composes/\(path)").status == 200, "\(path)")
            }
        }
    }

    @Test(
        "a range is answered with just that range",
        arguments: [
            ("bytes=0-", 206, "0123456789", "bytes 0-9/10"), ("bytes=0-0", 206, "0", "bytes 0-0/10"),
            ("bytes=3-5", 206, "345", "bytes 3-5/10"), ("bytes=7-", 206, "789", "bytes 7-9/10"),
            ("bytes=-3", 206, "789", "bytes 7-9/10"), ("bytes=-30", 206, "0123456789", "bytes 0-9/10"),
            ("bytes=8-99999999999999999999", 206, "89", "bytes 8-9/10"), ("bytes=10-", 416, "", "bytes */10"),
            ("bytes=99999999999999999999-", 416, "", "bytes */10"), ("bytes=-0", 416, "", "bytes */10"),
            ("bytes=5-3", 200, "0123456789", nil), ("bytes=0-1,3-4", 200, "0123456789", nil), ("bytes=x-", 200, "0123456789", nil),
            ("lines=0-1", 200, "0123456789", nil), ("bytes=-", 200, "0123456789", nil),
        ] as [(String, Int, String, String?)])
    func ranges(range: String, status: Int, content: String, contentRange: String?) async throws {
        try await Self.withCompose { frontend in
            let answer = try await frontend.get("/composes/odcs-12/compose/data.gz", headers: [.range: range])
            #expect(answer.status == status)
            #expect(answer.text == content)
            #expect(answer.headers[.contentRange] == contentRange)
            #expect(answer.headers[.contentLength] == "\(content.utf8.count)")
            #expect(answer.headers[.acceptRanges] == "bytes")
        }
    }

    @Test("what a client has already is not sent again, and a range only of what it knows")
    func conditions() async throws {
        try await Self.withCompose { frontend in
            let path = "/composes/odcs-12/compose/data.gz"
            let first = try await frontend.get(path)
            let tag = try #require(first.headers[.eTag])
            let date = try #require(first.headers[.lastModified])
            let early = "Sun, 06 Nov 1994 08:49:37 GMT"
            let cases: [(HTTPFields, Int)] = [
                ([.ifNoneMatch: tag], 304), ([.ifNoneMatch: "\"x\", W/\(tag)"], 304), ([.ifNoneMatch: "*"], 304),
                ([.ifNoneMatch: "\"x\""], 200), ([.ifModifiedSince: date], 304), ([.ifModifiedSince: early], 200),
                ([.ifModifiedSince: "yesterday"], 200), ([.ifNoneMatch: "\"x\"", .ifModifiedSince: date], 200),
                ([.ifMatch: tag], 200), ([.ifMatch: "\"x\""], 412), ([.ifUnmodifiedSince: early], 412), ([.ifUnmodifiedSince: date], 200),
                ([.range: "bytes=1-", .ifRange: tag], 206), ([.range: "bytes=1-", .ifRange: "\"x\""], 200),
                ([.range: "bytes=1-", .ifRange: date], 206), ([.range: "bytes=1-", .ifRange: early], 200),
                ([.range: "bytes=99-", .ifRange: "\"x\""], 200),
            ]
            for (headers, status) in cases {
                let answer = try await frontend.get(path, headers: headers)
                #expect(answer.status == status, "\(headers)")
                #expect(answer.headers[.eTag] == tag)
                if status == 304 { #expect(answer.text == "") }
            }
            try frontend.write("abcdefghij", to: "odcs-12/compose/data.gz")
            #expect(try await frontend.get(path).headers[.eTag] != tag)
        }
    }

    @Test(
        "nothing but composes is served",
        arguments: [
            ".work/odcs-13.token/x", "stray/x", "stray", ".logs/odcs-12.log", "odcs-12/../stray/x", "odcs-12/%2e%2e/stray/x",
            "odcs-12/..%2f..%2fetc/passwd", "../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "odcs-12/outside", "odcs-12/outside/passwd",
            "odcs-12/sideways/x", "odcs-99/x", "odcs-12/COMPOSE_ID/x", "odcs-12/COMPOSE_ID%00", "odcs-12/%ff", "odcs-12x/x",
            "odcs-012/COMPOSE_ID",
            "latest-odcs-12-2/COMPOSE_ID", "odcs-12/.hidden", "odcs-12/a%2Fb", "odcs-12/pipe", "odcs--1",
        ])
    func traversal(path: String) async throws {
        try await Self.withCompose { frontend in
            let links = [("odcs-12/outside", "/etc"), ("odcs-12/sideways", "../stray"), ("odcs-99", "/etc")]
            for (link, destination) in links {
                try FileManager.default.createSymbolicLink(atPath: frontend.target.appending(link).string, withDestinationPath: destination)
            }
            try frontend.write("secret", to: ".logs/odcs-12.log")
            try frontend.write("secret", to: "odcs-12/.hidden")
            #expect(mkfifo(frontend.target.appending("odcs-12/pipe").string, 0o644) == 0)
            let answer = try await frontend.get("/composes/\(path)")
            #expect(answer.status == 404)
            #expect(!answer.text.contains("secret"))
            #expect(!answer.text.contains("root:"))
        }
    }

    @Test("a directory is a page that links to what is in it")
    func listing() async throws {
        try await Self.withCompose { frontend in
            try frontend.write("x", to: "odcs-12/a&b \"c\"")
            let answer = try await frontend.get("/composes/odcs-12")
            #expect(answer.status == 200)
            #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
            #expect(answer.text.contains(#"<a href="/composes/odcs-12/compose/">compose/</a>"#))
            #expect(answer.text.contains(#"<a href="/composes/odcs-12/a%26b%20%22c%22">a&amp;b &quot;c&quot;</a>"#))
            #expect(try await frontend.get("/composes/odcs-12/").text == answer.text)
            let top = try await frontend.get("/composes/").text
            #expect(top.contains(#"<a href="/composes/odcs-12/">odcs-12/</a>"#))
            #expect(!top.contains("stray"))
            #expect(!top.contains(".work"))
        }
    }

    @Test("a log can be followed from before the compose has a directory until after it has one")
    func log() async throws {
        try await FrontendFixture.with { frontend in
            let path = "/composes/odcs-5/pungi-stderr.log"
            func read(from offset: Int) async throws -> Answer { try await frontend.get(path, headers: [.range: "bytes=\(offset)-"]) }
            #expect(try await read(from: 0).status == 404)

            try frontend.write("", to: ".logs/odcs-5.log")
            #expect(try await read(from: 0).status == 416)
            try frontend.write("one\n", to: ".logs/odcs-5.log")
            let first = try await read(from: 0)
            #expect(first.status == 206)
            #expect(first.text == "one\n")
            #expect(first.headers[.contentType] == "text/plain")
            let end = try await read(from: 4)
            #expect(end.status == 416)
            #expect(end.headers[.contentRange] == "bytes */4")

            try frontend.write("one\ntwo\n", to: ".logs/odcs-5.log")
            #expect(try await read(from: 4).text == "two\n")
            #expect(try await frontend.get("/composes/latest-odcs-5-1/pungi-stderr.log").text == "one\ntwo\n")
            try frontend.write("one\ntwo\nthree\n", to: "odcs-5/pungi-stderr.log")
            #expect(try await read(from: 8).text == "three\n")
            #expect(try await frontend.get("/composes/.logs/odcs-5.log").status == 404)
        }
    }

    @Test("a large file arrives whole over a connection")
    func large() async throws {
        try await FrontendFixture.with(.live) { frontend in
            let line = "0123456789abcde\n"
            try frontend.write(String(repeating: line, count: 200_000), to: "odcs-1/big")
            let answer = try await frontend.get("/composes/odcs-1/big")
            #expect(answer.status == 200)
            #expect(answer.text.utf8.count == 3_200_000)
            #expect(answer.text.hasSuffix(line))
            let part = try await frontend.get("/composes/odcs-1/big", headers: [.range: "bytes=1600000-3199999"])
            #expect(part.text == String(repeating: line, count: 100_000))
        }
    }
}
