import ForeignText
import Testing

@Suite("The name that was meant")
struct NearestNamesTests {
    @Test("the nearest name comes first")
    func nearest() {
        #expect(NearestNames(names: ["check_deps", "no_deps", "no_reuse"]).sorted(by: "nodeps").first == "no_deps")
        #expect(NearestNames(names: ["sitting"]).nearest(to: "kitten", within: 3) == "sitting")
        #expect(NearestNames(names: ["sitting"]).nearest(to: "kitten", within: 2) == nil)
        #expect(NearestNames(names: ["s", "kit", "sitten"]).nearest(to: "kitten", within: 2) == "sitten")
    }
}
