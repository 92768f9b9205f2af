import ComposeModel
import Foundation
import Testing

/// The form in which a request is stored.
@Suite struct StoredRequestTests {
    /// A request in which every member has a value that is stored.
    private let full = ComposeRequest(
        sourceType: .tag, source: ["f26", "f\"27\\"], packages: ["ed", "ü\u{200B}"], builds: ["ed-1-1"], sigkeys: ["", "ABCD1234"],
        kojiEvent: 7, modularKojiTags: ["t"], moduleDefaultsURL: "https://h/d", moduleDefaultsCommit: "c0ffee", scratchModules: ["m:1"],
        scratchBuildTasks: ["12"], modules: ["n:1"], baseModuleBrName: "platform", baseModuleBrStream: "f26",
        baseModuleBrStreamVersionLTE: 1, baseModuleBrStreamVersionGTE: 2, flags: [.noDeps, .noReuse], results: .iso, arches: ["x86_64"],
        multilibArches: ["i686"], multilibMethods: .devel, lookasideRepos: ["/srv/l"], label: "RC-1.0", composeType: "test",
        targetDir: "private", parentPungiComposeIDs: ["p"], respinOf: "r", secondsToLive: 60, delivery: .reference,
        unsignedWaitSeconds: 30, moduleHotfixes: true, lock: "1f")

    private func members(_ json: Data) throws -> NSDictionary {
        try #require(try JSONSerialization.jsonObject(with: json) as? NSDictionary)
    }

    @Test("a request is stored with every member, as an encoder would write it")
    func everyMember() throws {
        let stored = try members(Data(full.json.utf8))
        #expect(Set(stored.allKeys.compactMap { $0 as? String }) == Set(Mirror(reflecting: full).children.compactMap(\.label)))
        #expect(try stored == members(JSONEncoder().encode(full)))
        #expect(try JSONDecoder().decode(ComposeRequest.self, from: Data(full.json.utf8)) == full)
    }

    @Test("members without a value are left out, as by an encoder")
    func withoutValues() throws {
        let request = ComposeRequest(sourceType: .repo, source: ["/srv/repo"], arches: ["x86_64"], secondsToLive: 60)
        #expect(try members(Data(request.json.utf8)) == members(JSONEncoder().encode(request)))
    }
}
