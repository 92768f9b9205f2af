import ComposeModel
import ForeignText
import Foundation
import Testing

@Suite struct ComposeModelTests {
    @Test("a specification's key does not depend on the order or repetition of packages")
    func keyIgnoresOrder() throws {
        func key(_ packages: [String]) throws -> String {
            let request = ComposeRequest(sourceType: .repo, source: ["/r"], packages: packages, arches: ["x86_64"], secondsToLive: 1)
            return try ComposeSpecification(request, pins: ComposePins(repositories: [.init(location: "/r", repomd: "sha256:00")])).key()
        }
        #expect(try key(["ed", "vi", "ed"]) == key(["vi", "ed"]))
        #expect(try key(["ed"]) != key(["vi", "ed"]))
    }

    @Test("a specification's key changes with everything that changes the result, and with nothing else")
    func keyFollowsInputs() throws {
        let request = ComposeRequest(sourceType: .repo, source: ["/r"], packages: ["ed"], arches: ["x86_64"], secondsToLive: 1)
        func key(_ pin: String = "sha256:00", _ change: (inout ComposeRequest) -> Void = { _ in }) throws -> String {
            var request = request
            change(&request)
            return try ComposeSpecification(request, pins: ComposePins(repositories: [.init(location: "/r", repomd: pin)])).key()
        }
        let plain = try key()
        #expect(try key("sha256:01") != plain)
        #expect(try key { $0.arches = ["aarch64"] } != plain)
        #expect(try key { $0.flags = .noDeps } != plain)
        #expect(try key { $0.sigkeys = ["ABCD1234"] } != plain)
        #expect(try key { $0.secondsToLive = 2 } == plain)
        #expect(try key { $0.flags = .noReuse } == plain)
    }

    @Test("the key of composed packages changes with the request and with each file, and with nothing else")
    func keyOfPackages() throws {
        let request = ComposeRequest(sourceType: .tag, source: ["f26"], packages: ["ed"], arches: ["x86_64"], secondsToLive: 1)
        let ed = ComposedPackages.File(nevra: "ed-1-1.x86_64", checksum: "sha256:00", location: "packages/ed-1-1.x86_64.rpm")
        let vi = ComposedPackages.File(nevra: "vi-1-1.x86_64", checksum: "sha256:01", location: "packages/vi-1-1.x86_64.rpm")
        func key(_ files: [ComposedPackages.File], in tree: String = "x86_64/os") throws -> String {
            try ComposedPackages(request, repositories: [tree: files]).key()
        }
        func key(_ change: (inout ComposeRequest) -> Void) throws -> String {
            var request = request
            change(&request)
            return try ComposedPackages(request, repositories: ["x86_64/os": [ed, vi]]).key()
        }
        let plain = try key([ed, vi])
        #expect(try key([vi, ed]) == plain)
        #expect(try key([ed]) != plain)
        #expect(try key([ed, vi], in: "aarch64/os") != plain)
        for change in [\ComposedPackages.File.nevra, \.checksum, \.location] {
            var other = vi
            other[keyPath: change] += "0"
            #expect(try key([ed, other]) != plain)
        }
        let documented = ComposedPackages(request, repositories: ["x86_64/os": [ed, vi]], documents: ["updateinfo": "sha256:02"])
        #expect(try documented.key() != plain)
        #expect(try key { $0.source = ["f27"] } != plain)
        #expect(try key { $0.packages = ["ed", "vi"] } != plain)
        #expect(try key { $0.flags = .noDeps } != plain)
        #expect(try key { $0.results = .iso } != plain)
        #expect(try key { $0.sigkeys = ["ABCD1234"] } != plain)
        #expect(try key { $0.builds = ["ed-1-1"] } != plain)
        #expect(try key { $0.targetDir = "private" } != plain)
        #expect(try key { $0.kojiEvent = 7 } == plain)
        #expect(try key { $0.secondsToLive = 2 } == plain)
        #expect(try key { $0.flags = .noReuse } == plain)
    }

    @Test("a document has every field of the contract, null where there is no value")
    func documentIsComplete() throws {
        let request = ComposeRequest(
            sourceType: .repo, source: ["/r"], sigkeys: ["", "ABCD1234"], flags: [.noDeps, .checkDeps], arches: ["x86_64", "s390x"],
            secondsToLive: 60)
        let compose = Compose(
            id: 12, owner: "me", request: request, source: "/r", state: .wait, timeSubmitted: Date(timeIntervalSince1970: 1_600_000_000.9),
            timeToExpire: Date(timeIntervalSince1970: 1_600_000_060), resultOf: 12)
        let document = ComposeDocument(compose, targetURL: "http://h/composes")
        let json = try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(document)) as? [String: Any])
        let contract = [
            "id", "owner", "source_type", "source", "state", "state_name", "state_reason", "time_submitted", "time_started", "time_done",
            "time_to_expire", "time_removed", "removed_by", "result_repo", "result_repofile", "toplevel_url", "flags", "results", "sigkeys",
            "koji_event", "koji_task_id", "packages", "builds", "arches", "multilib_arches", "multilib_method", "lookaside_repos",
            "modular_koji_tags", "module_defaults_url", "label", "compose_type", "pungi_compose_id", "scratch_modules",
            "parent_pungi_compose_ids", "scratch_build_tasks", "modules", "respin_of", "base_module_br_name", "base_module_br_stream",
            "base_module_br_stream_version_lte", "base_module_br_stream_version_gte", "target_dir",
        ]
        #expect(Set(contract).subtracting(json.keys) == [])
        #expect(json["time_submitted"] as? String == "2020-09-13T12:26:40Z")
        #expect(json["time_done"] is NSNull)
        #expect(json["sigkeys"] as? String == " ABCD1234")
        #expect(json["arches"] as? String == "x86_64 s390x")
        #expect(json["flags"] as? [String] == ["no_deps", "check_deps"])
        #expect(json["result_repofile"] as? String == "http://h/composes/odcs-12/compose/Temporary/odcs-12.repo")
        #expect(json["packages"] is NSNull)
        #expect(try JSONDecoder().decode(ComposeDocument.self, from: JSONEncoder().encode(document)) == document)
    }

    @Test("a document that is written as it goes is to the byte what JSONEncoder makes of it, with characters that show nothing escaped")
    func documentAsWritten() throws {
        let text = "\u{1}\u{1F}\u{7F}\u{2028} \"quoted\" \\ / \t\n\r\u{8}\u{C} Ünïcode 🦊"
        let request = ComposeRequest(
            sourceType: .tag, source: ["f26", text], packages: ["ed", text], flags: [.noDeps, .checkDeps], arches: ["x86_64"], label: text,
            secondsToLive: 60, unsignedWaitSeconds: 5, moduleHotfixes: true)
        let failure = ComposeFailure(
            .packageNotFound, text,
            details: [.init(package: text), .init(arch: "x86_64", requirement: "a", nearest: ["b", text], text: "")],
            isTransient: true)
        let date = Date(timeIntervalSince1970: 951_782_399.999)
        let composes = [
            Compose(
                id: 1, owner: text, request: request, source: text, state: .failed, stateReason: text, failure: failure, kojiEvent: -1,
                timeSubmitted: date, timeStarted: date, timeDone: date, timeToExpire: date, resultOf: 1, watch: 3),
            Compose(id: 2, owner: "", request: request, source: "", state: .wait, timeSubmitted: date, timeToExpire: date, resultOf: 1),
        ]
        for compose in composes {
            let document = ComposeDocument(compose, targetURL: "http://h/composes")
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            var json = JSONWriter()
            document.write(to: &json)
            let encoded = String(decoding: try encoder.encode(document), as: UTF8.self)
            #expect(String(decoding: json.bytes, as: UTF8.self) == encoded.jsonWithVisibleCharacters)
        }
    }

    @Test("the answer for one compose has further members in the order of their names")
    func detail() throws {
        let request = ComposeRequest(sourceType: .repo, source: ["/r"], arches: ["x86_64"], secondsToLive: 60)
        let date = Date(timeIntervalSince1970: 0)
        let compose = Compose(
            id: 1, owner: "me", request: request, source: "", state: .wait, timeSubmitted: date, timeToExpire: date, resultOf: 1)
        var json = JSONWriter()
        var document = ComposeDocument(compose, targetURL: "/c")
        document.queue = QueueDocument(ahead: 2, reason: "2 composes are ahead.", estimateSeconds: nil)
        document.writeDetail(to: &json, valueless: ["pungi_config_dump", "zebra"])
        let text = String(decoding: json.bytes, as: UTF8.self)
        #expect(
            text.contains(#""pungi_compose_id":null,"pungi_config_dump":null,"queue":{"ahead":2,"estimate_seconds":null,"position":3,"#))
        #expect(text.hasSuffix(#""watch":null,"zebra":null}"#))
        #expect(try JSONDecoder().decode(ComposeDocument.self, from: Data(json.bytes)) == document)
        let encoded = try JSONEncoder().encode(document)
        #expect(try JSONDecoder().decode(ComposeDocument.self, from: encoded) == document)
    }

    @Test(
        "dates are written in UTC without fractions of a second",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_399.999, "2000-02-28T23:59:59Z"), (951_868_799, "2000-02-29T23:59:59Z"),
            (1_600_000_000.9, "2020-09-13T12:26:40Z"), (-0.5, "1969-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
        ])
    func dates(seconds: Double, text: String) {
        #expect(ComposeDocument.format(Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test("a compose goes from waiting to its end by the legal transitions only")
    func transitions() {
        var legal: [String] = []
        for from in ComposeState.allCases {
            for to in ComposeState.allCases where from.canTransition(to: to) { legal.append("\(from) \(to)") }
        }
        #expect(
            legal == [
                "wait generating", "wait failed", "generating wait", "generating done", "generating failed", "done removed",
                "failed removed",
            ])
    }

    @Test("options have the contract's names and bits")
    func options() {
        #expect(ComposeFlags(rawValue: 511).names.count == 9)
        #expect(ComposeFlags(name: "no_reuse")?.rawValue == 64)
        #expect(ComposeFlags(name: "nonsense") == nil)
        #expect(ComposeResults([.repository, .bootISO]).names == ["repository", "boot.iso"])
        #expect(MultilibMethods([.runtime, .all]).names == ["runtime", "all"])
        #expect(MultilibMethods(name: "iso") == [])
    }
}

@Suite("Texts of strangers in failures")
struct ForeignFailureTests {
    @Test("a message has the lines that its maker gives it, and no others, also when it is bounded")
    func lines() {
        let one = ComposeFailure(.metadataCorrupt, "a\nforged\u{9B}", details: [.init(package: "p\n", nearest: ["\u{202E}"])])
        #expect(one.message == "aU+000AforgedU+009B")
        #expect(one.details == [.init(package: "pU+000A", nearest: ["U+202E"])])
        let several = ComposeFailure(.metadataCorrupt, lines: ["a\nforged", "b"])
        #expect(several.message == "aU+000Aforged\nb")
        #expect(several.bounded.message == several.message)
    }

    @Test("a failure with a code of a newer version is decoded as internal, with its message")
    func unknownCode() throws {
        let newer = Data(#"{"code": "mirror-on-fire", "details": [], "isTransient": true, "message": "The mirror burns."}"#.utf8)
        let failure = try JSONDecoder().decode(ComposeFailure.self, from: newer)
        #expect(failure == ComposeFailure(.internal, "The mirror burns.", isTransient: true))
        for code in ComposeFailure.Code.allCases {
            #expect(try JSONDecoder().decode([ComposeFailure.Code].self, from: JSONEncoder().encode([code])) == [code])
        }
    }
}
