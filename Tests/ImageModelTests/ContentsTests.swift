import ImageModel
import Testing

@Suite struct ContentsTests {
    private func evr(_ text: String) -> EVR {
        let parts = text.split(separator: ":")
        let rest = parts[parts.count - 1].split(separator: "-", maxSplits: 1)
        return EVR(epoch: parts.count == 2 ? Int(parts[0]) ?? 0 : 0, version: String(rest[0]), release: String(rest[1]))
    }

    /// The pairs are those of rpm's own test of `rpmvercmp` (tests/rpmvercmp.at), as the versions of EVRs.
    @Test(
        "versions are ordered as RPM orders them",
        arguments: [
            ("1.0", "1.0", 0), ("1.0", "2.0", -1), ("2.0", "1.0", 1), ("2.0.1", "2.0.1", 0), ("2.0", "2.0.1", -1), ("2.0.1", "2.0", 1),
            ("2.0.1a", "2.0.1a", 0), ("2.0.1a", "2.0.1", 1), ("2.0.1", "2.0.1a", -1), ("5.5p1", "5.5p1", 0), ("5.5p1", "5.5p2", -1),
            ("5.5p2", "5.5p1", 1), ("5.5p10", "5.5p10", 0), ("5.5p1", "5.5p10", -1), ("5.5p10", "5.5p1", 1), ("10xyz", "10.1xyz", -1),
            ("10.1xyz", "10xyz", 1), ("xyz10", "xyz10", 0), ("xyz10", "xyz10.1", -1), ("xyz.4", "xyz.4", 0), ("xyz.4", "8", -1),
            ("8", "xyz.4", 1), ("xyz.4", "2", -1), ("5.5p2", "5.6p1", -1), ("5.6p1", "6.5p1", -1), ("6.0.rc1", "6.0", 1),
            ("6.0", "6.0.rc1", -1), ("10b2", "10a1", 1), ("10a2", "10b2", -1), ("1.0aa", "1.0a", 1), ("1.0a", "1.0aa", -1),
            ("10.0001", "10.0001", 0), ("10.0001", "10.1", 0), ("10.1", "10.0001", 0), ("10.0001", "10.0039", -1),
            ("4.999.9", "5.0", -1), ("20101121", "20101122", -1), ("2_0", "2_0", 0), ("2.0", "2_0", 0), ("a", "a", 0), ("a+", "a_", 0),
            ("+a", "_a", 0), ("+", "_", 0), ("1.0~rc1", "1.0~rc1", 0), ("1.0~rc1", "1.0", -1), ("1.0", "1.0~rc1", 1),
            ("1.0~rc1", "1.0~rc2", -1), ("1.0~rc1~git123", "1.0~rc1", -1), ("1.0^", "1.0", 1), ("1.0^git1", "1.0", 1),
            ("1.0^git1", "1.0^git2", -1), ("1.0^git1", "1.01", -1), ("1.0^20160101", "1.0.1", -1),
            ("1.0^20160101^git1", "1.0^20160102", -1),
            ("1.0~rc1^git1", "1.0~rc1", 1), ("1.0^git1~pre", "1.0^git1", -1), ("1b.fc17", "1.fc17", -1), ("1g.fc17", "1.fc17", 1),
            ("99999999999999999999999999", "99999999999999999999999998", 1), ("1.", "1", 0),
        ])
    func versions(one: String, two: String, order: Int) {
        let (a, b) = (EVR(version: one, release: "1"), EVR(version: two, release: "1"))
        #expect((a < b ? -1 : b < a ? 1 : 0) == order, "\(one) and \(two)")
        #expect((a == b) == (order == 0))
    }

    @Test("the epoch counts first, then the version, then the release")
    func epochs() {
        #expect(evr("3.0.7-30.el9") < evr("1:3.0.7-28.el9"))
        #expect(evr("1:3.0.7-28.el9") < evr("1:3.0.10-1.el9"))
        #expect(evr("1:3.0.7-28.el9") < evr("1:3.0.7-28.el9_4"))
        #expect(evr("1:3.0.7-9.el9") < evr("1:3.0.7-28.el9"))
        #expect("\(evr("1:3.0.7-28.el9")) \(evr("3.0-1"))" == "1:3.0.7-28.el9 3.0-1")
    }

    @Test("the difference of two contents has what was added, removed and changed")
    func difference() {
        func package(_ name: String, _ text: String, module: String? = nil) -> InstalledPackage {
            InstalledPackage(name: name, evr: evr(text), arch: "x86_64", modularityLabel: module)
        }
        let before = [
            package("a", "1-1"), package("b", "1-1"), package("k", "1-1"), package("k", "2-1"), package("n", "1-1", module: "n:1:2:c"),
        ]
        let after = [
            package("a", "2-1"), package("c", "1-1"), package("k", "2-1"), package("k", "1-1"), package("n", "0-1", module: "n:1:3:c"),
        ]
        let difference = ContentsDifference(from: before, to: after)
        #expect(difference.added == [package("c", "1-1")])
        #expect(difference.removed == [package("b", "1-1")])
        #expect(difference.changed.map(\.line.name) == ["a", "n"])
        #expect(difference.changed.map(\.isDowngrade) == [false, true])
        #expect(ContentsDifference(from: before, to: before).isEmpty)
    }
}
