import ComposeTestKit
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Testing

@testable import ComposeFrontend

/// The table of pages that `make pages-test` looks at.
@Suite struct PageTableTests {
    private struct Row: Decodable {
        let route: String
        let addresses: [String]
    }

    /// Pages that are of no route: an error, the page of the API, and the files of composes.
    private static let others: Set<String> = ["error", "api", "files"]
    /// Routes for browsers that are streams, not pages.
    private static let streams: Set<String> = ["/events", "/compose/{id}/events"]

    @Test("the table of pages has each page of the server, and no other")
    func table() async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../pages-test/pages.json")
        let rows = try JSONDecoder().decode([Row].self, from: Data(contentsOf: file))
        #expect(rows.allSatisfy { !$0.addresses.isEmpty })
        try await TestDatabase.with { database in
            let frontend = ComposeFrontend(configuration: .unused, store: database.store, logger: .silent)
            let pages = frontend.pages.filter { resource in
                switch resource.operations[.get] {
                case .page, .personalPage: true
                default: false
                }
            }
            let routes = pages.map { "/" + $0.path.description.split(separator: "/").joined(separator: "/") }
            #expect(Set(rows.map(\.route)).subtracting(Self.others) == Set(routes).subtracting(Self.streams))
        }
    }
}

extension FrontendConfiguration {
    /// A configuration for a test that sends no request.
    fileprivate static var unused: FrontendConfiguration {
        FrontendConfiguration(
            serverURL: "https://odcs.example.com/", targets: [:],
            limits: RequestLimits(defaultArches: ["x86_64"], defaultSecondsToLive: 3600, maximumSecondsToLive: 7200),
            admission: Admission(capabilities: ServerCapabilities(), places: AllowedPlaces()), rawConfigURLs: [:], version: "1.2.3",
            perPage: (default: 10, maximum: 50))
    }
}
