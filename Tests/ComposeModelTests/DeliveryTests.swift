import ComposeModel
import Foundation
import Testing

/// What is stored of a choice that there was not always.
@Suite struct DeliveryTests {
    private let request = ComposeRequest(sourceType: .tag, source: ["f26"], packages: ["ed"], arches: ["x86_64"], secondsToLive: 1)

    private func specification(_ delivery: Delivery) -> ComposeSpecification {
        var request = request
        request.delivery = delivery
        return ComposeSpecification(request, pins: ComposePins(koji: KojiPin(tag: .init(name: "f26", id: 1, event: 5, inherits: true))))
    }

    @Test("a request that was stored before there was a choice means link, and one of link is stored as it was then")
    func stored() throws {
        let stored = try JSONEncoder().encode(request)
        let members = try #require(try JSONSerialization.jsonObject(with: stored) as? [String: Any])
        #expect(members["delivery"] == nil)
        #expect(members["unsignedWaitSeconds"] == nil)
        let read = try JSONDecoder().decode(ComposeRequest.self, from: stored)
        #expect(read == request)
        #expect(read.delivery == .link)
    }

    @Test("a request for a reference is read as it was written")
    func reference() throws {
        var asked = request
        asked.delivery = .reference
        asked.unsignedWaitSeconds = 60
        #expect(try JSONDecoder().decode(ComposeRequest.self, from: try JSONEncoder().encode(asked)) == asked)
    }

    @Test("a compose that has its packages and one that refers to them are never equal; the former is equal to those from before")
    func key() throws {
        #expect(
            String(decoding: try specification(.link).canonicalJSON(), as: UTF8.self)
                == #"{"arches":["x86_64"],"flags":0,"multilibArches":[],"multilibMethods":0,"packages":["ed"],"#
                + #""pins":{"koji":{"builds":[],"scratchTasks":[],"tag":{"event":5,"id":1,"inherits":true,"name":"f26"}},"#
                + #""lookaside":[],"repositories":[]},"results":1,"sigkeys":[],"sourceType":1,"targetDir":"default"}"#)
        #expect(try specification(.link).key() != specification(.reference).key())
    }
}
