import SystemPackage
import Testing

@testable import ContentSources

@Suite("A part of a file at an address")
struct FilePartTests {
    private func with(_ body: (FileServer, HTTPTransfer, RepositoryURL) async throws -> Void) async throws {
        try await Workbench.with { bench in
            try bench.sources.appending("file").write("0123456789")
            try await FileServer.with(bench.sources) { server in
                let transfer = HTTPTransfer(
                    client: bench.client, access: try bench.access([server.address]), limits: Workbench.limits, logger: Workbench.logger)
                try await body(server, transfer, RepositoryURL("\(server.address)/file"))
            }
        }
    }

    @Test("is the same whether the server knows Range or sends the whole file", arguments: [4..<7, 0..<10, 8..<20, 10..<12])
    func same(range: Range<Int>) async throws {
        try await with { server, transfer, url in
            let expected = Array(Array("0123456789".utf8).dropFirst(range.lowerBound).prefix(range.count))
            for answer in [FileServer.Answer.file, .wholeFile] {
                server.answer { _ in answer }
                let part = try await transfer.part(range, of: url)
                #expect(part.bytes == expected)
                #expect(part.size == 10)
            }
        }
    }

    @Test("that begins far into the file is refused if the server sends the whole file, and not tried again")
    func far() async throws {
        try await with { server, transfer, url in
            server.answer { _ in .announce(200, headers: [], length: 20 << 20) }
            let problem = await #expect(throws: TransferProblem.self) { try await transfer.part((17 << 20)..<(18 << 20), of: url) }
            #expect(
                problem
                    == .notPermitted(
                        "\(server.address) sends whole files only, and 17825792 bytes come before the part that is needed; "
                            + "this service accepts at most 16777216 of them"))
            #expect(server.requests.count == 1)
        }
    }
}
