import Foundation
import NIOHTTP1
import Testing

/// The other tests are worth what the server is that they talk to.
@Suite("The Pulp 3 that tests talk to")
struct PulpReplayTests {
    @Test(
        "answers each recorded question as the real one did",
        arguments: [
            ("list-distributions", ""),
            ("by-content-set", "?pulp_label_select=content_set%3Df26-rpms-x86_64"),
            (
                "by-content-set-and-published",
                "?pulp_label_select=content_set%3Df26-rpms-x86_64%2Cinclude_in_download_service%3DTrue"
            ),
            (
                "by-label-or-attempt",
                "?pulp_label_select=content_set%3Df26-rpms-x86_64&pulp_label_select=content_set%3Df26-rpms-aarch64"
            ),
            (
                "by-q-or",
                "?q=pulp_label_select%3D%27content_set%3Df26-rpms-x86_64%27+OR+pulp_label_select%3D%27content_set%3Df26-rpms-aarch64%27"
            ),
            (
                "by-q-or-fields",
                "?q=%28pulp_label_select%3D%27content_set%3Df26-rpms-x86_64%27+OR+pulp_label_select%3D%27content_set%3Df26-beta-rpms%27%29+AND+"
                    + "pulp_label_select%3D%27include_in_download_service%3DTrue%27&fields=name%2Cbase_url%2Cbase_path%2Cpulp_labels%2Ccontent_guard"
            ),
            ("name-in", "?name__in=ed-x86_64%2Cbeta-x86_64"),
            ("page", "?limit=1&offset=1"),
            ("none", "?name=zzz"),
            ("bad-label", "?pulp_label_select=%21a%3Db"),
            ("404", "00000000-0000-0000-0000-000000000000/"),
        ])
    func asRecorded(name: String, query: String) throws {
        let answer = PulpReplay().answer(
            .init(method: "GET", uri: "/pulp/api/v3/distributions/rpm/rpm/\(query)", headers: [:], body: [], number: 1))
        let recorded = try PulpReplay.recording(name)
        #expect(answer.status == (name == "404" ? 404 : name == "bad-label" ? 400 : 200))
        let (ours, theirs) = try (canonical(answer.body), canonical(recorded))
        #expect(ours == theirs)
    }

    @Test("wants credentials where it is told to")
    func credentials() throws {
        let answer = PulpReplay(authorization: "Basic eDp5").answer(
            .init(method: "GET", uri: "/pulp/api/v3/distributions/rpm/rpm/", headers: [:], body: [], number: 1))
        #expect(answer.status == 401)
    }

    private func canonical(_ bytes: [UInt8]) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(bytes))
        return String(decoding: try JSONSerialization.data(withJSONObject: object, options: .sortedKeys), as: UTF8.self)
    }
}
