import Koji
import Logging
import ScriptedHub
import Testing

@Suite struct CallTests {
    /// Runs `body` with a hub that answers as recorded, and checks that it had an answer for each call.
    private func withHub(_ body: (KojiHub) async throws -> Void) async throws {
        try await ScriptedHub.with { scripted in
            try await scripted.asked { hub in try await body(hub) }
            #expect(scripted.unrecorded.isEmpty)
        }
    }

    @Test("the hub's events")
    func theHubsEvents() async throws {
        try await withHub { hub in
            let last = try await hub.getLastEvent()
            #expect(last.id == 100)
            #expect(last.timestamp == 1_795_247_736.94291)
            #expect(try await hub.getLastEvent(before: 1_795_247_636.94291).id == 93)
        }
    }

    @Test("a tag, an unknown one, and a deleted one when it existed")
    func aTagAnUnknownOneAnd() async throws {
        try await withHub { hub in
            let tag = try #require(try await hub.getTag("f26"))
            #expect(tag.id == 1)
            #expect(tag.name == "f26")
            #expect(tag.arches == "x86_64 i686 aarch64")
            #expect(!tag.isLocked)
            #expect(try await hub.getTag(1) == tag)
            #expect(try await hub.getTag("locked-tag")?.isLocked == true)
            #expect(try await hub.getTag("no-such-tag") == nil)
            #expect(try await hub.getTag("another-one") == nil)
            #expect(try await hub.getTag("gone-tag") == nil)
            #expect(try await hub.getTag("f26", event: 1) == nil)
            #expect(try await hub.getTag("gone-tag", event: 99)?.id == 12)
        }
    }

    @Test("the parents of a tag, at an event too")
    func theParentsOfATagAt() async throws {
        try await withHub { hub in
            let parents = try await hub.getFullInheritance("f26-build")
            #expect(parents.map(\.name) == ["f26-updates", "f26", "buildsys-extras"])
            #expect(parents.map(\.parentID) == [2, 1, 5])
            #expect(parents.map(\.currentDepth) == [1, 2, 1])
            #expect(parents[2].packageFilter == "^zed$")
            #expect(parents[2].isIntransitive)
            #expect(parents[2].isNoConfig)
            #expect(parents[2].priority == 10)
            #expect(parents[2].maximumDepth == nil)
            #expect(try await hub.getFullInheritance("f26") == [])
            #expect(try await hub.getFullInheritance("f26-build", event: 10).map(\.name) == ["f26-updates", "f26"])
            let error = try await #require(throws: KojiError.self) { try await hub.getFullInheritance("no-such-tag") }
            #expect(error.faultText == "No such entry in table tag: no-such-tag")
        }
    }

    @Test("whether tags changed after an event")
    func whetherTagsChangedAfterAnEvent() async throws {
        try await withHub { hub in
            let hasChanged = try await hub.tagChangedSinceEvent(60, tags: [2, 1])
            #expect(hasChanged)
            #expect(try await !hub.tagChangedSinceEvent(100, tags: [2, 1]))
            #expect(try await !hub.tagChangedSinceEvent(60, tags: []))
        }
    }

    @Test("whether tags changed, of several lists of tags and events, with one request")
    func whetherEachChanged() async throws {
        try await ScriptedHub.with { scripted in
            try await scripted.asked { hub in
                let answers = try await hub.tagChangedSinceEvent(each: [(75, [2, 1]), (100, [2, 1]), (60, [2, 1])])
                #expect(answers == [true, false, true])
                #expect(scripted.calls.map(\.method) == ["multiCall"])
                let none = try await hub.tagChangedSinceEvent(each: [])
                #expect(none == [])
                let error = await #expect(throws: KojiError.self) {
                    try await hub.tagChangedSinceEvent(each: [(75, [2, 1]), (60, [])])
                }
                #expect(error?.code == .fault)
            }
        }
    }

    @Test("what changed in a tag after an event")
    func whatChangedInATagAfter() async throws {
        try await withHub { hub in
            let tables: [KojiTagChange.Table] = [.tagListing, .tagInheritance]
            let changes = try await hub.queryHistory(tag: "f26-updates", tables: tables, afterEvent: 70, beforeEvent: 101)
            #expect(changes.map(\.createEvent) == [72, 74, 65, 76])
            #expect(changes.map(\.revokeEvent) == [73, nil, 75, nil])
            #expect(changes.map(\.packageName) == ["ed", "libfoo", "libfoo", "libfoo"])
            #expect(changes[1].buildID == 13)
            #expect(changes[1].version == "1.10")
            #expect(changes.allSatisfy { $0.table == .tagListing && $0.tagID == 2 && $0.tagName == "f26-updates" })
            #expect(try await hub.queryHistory(tag: "f26-updates", tables: tables, afterEvent: 100, beforeEvent: 101) == [])
        }
    }

    @Test("the builds in a tag")
    func theBuildsInATag() async throws {
        try await withHub { hub in
            let latest = try await hub.listTagged("f26-updates", inherit: true, latest: true)
            #expect(latest.count == 10)
            let libfoo = try #require(latest.first)
            #expect(libfoo.nvr == "libfoo-1.1-1.fc26")
            #expect(libfoo.buildID == 12)
            #expect(libfoo.name == "libfoo")
            #expect(libfoo.tagName == "f26-updates")
            #expect(libfoo.tagID == 2)
            #expect(libfoo.tagEvent == 76)
            #expect(libfoo.creationEventID == 42)
            #expect(libfoo.state == .complete)
            #expect(libfoo.volumeName == "DEFAULT")
            #expect(libfoo.ownerName == "kojiadmin")
            #expect(libfoo.epoch == nil)
            #expect(libfoo.taskID == nil)
            #expect(latest.last?.tagName == "f26")
            #expect(latest.first { $0.name == "python-baz" }?.volumeName == "vol2")
            #expect(try await hub.listTagged("f26-updates", event: 64, inherit: true).map(\.nvr).first == "ed-1.14.2-2.fc26")
            #expect(try await hub.listTagged(2).count == 7)
            #expect(try await hub.listTagged("empty-tag") == [])
            #expect(try await hub.listTagged("gone-tag", event: 99) == [])
            let modules = try await hub.listTagged("f26-modular-updates", event: 100, inherit: true, package: "testmodule", type: "module")
            #expect(modules.map(\.version) == ["master", "next_gen", "master", "master"])
            let error = try await #require(throws: KojiError.self) { try await hub.listTagged("no-such-tag") }
            #expect(error.message.hasSuffix(" refused the call listTagged: No such tagInfo: 'no-such-tag' (fault 1000)."))
            await #expect(throws: KojiError.self) { try await hub.listTagged("f26-updates", event: 1) }
        }
    }

    @Test("the packages in a tag with their signatures")
    func thePackagesInATagWith() async throws {
        try await withHub { hub in
            struct Found: Sendable {
                var rpms: [KojiRPM] = []
                var builds: [KojiBuild] = []
            }
            let found = try await hub.listTaggedRPMS(
                "f26-updates", event: 100, inherit: true, latest: true, rpmsigs: true, into: Found()
            ) { found, row in
                switch row {
                case .rpm(let rpm):
                    #expect(found.builds.isEmpty)
                    found.rpms.append(rpm)
                case .build(let build): found.builds.append(build)
                }
            }
            #expect(found.rpms.count == 79)
            #expect(Set(found.rpms.map(\.id)).count == 43)
            #expect(found.builds.count == 10)
            #expect(found.rpms[0].nvra == "bar-3.2-1.fc26.src")
            #expect(found.rpms[0].sigkey == "")
            #expect(found.rpms[1].sigkey == "0b3e5524")
            #expect(found.rpms[0].payloadHash?.description == "0f5af8b2c0a4c3c138409bc0a17e532d")
            #expect(found.rpms[0].size == 7862)
            #expect(found.rpms[0].buildID == 2)
            #expect(found.rpms[0].buildtime == 1_499_040_000)
            #expect(Set(found.rpms.filter { $0.sigkey == "b0234768" }.map(\.name)) == ["filereq", "scripted"])
            #expect(found.rpms.first { $0.name == "python-baz" }?.epoch == 1)
            #expect(Set(found.rpms.map(\.buildID)) == Set(found.builds.map(\.buildID)))
            #expect(found.builds[0].nvr == "libfoo-1.1-1.fc26")

            let some = try await hub.listTaggedRPMS(
                "f26-updates", inherit: true, latest: true, arches: ["x86_64", "noarch"], into: [KojiRPM]()
            ) { if case .rpm(let rpm) = $1 { $0.append(rpm) } }
            #expect(Set(some.map(\.arch)) == ["x86_64", "noarch"])
            #expect(some.allSatisfy { $0.sigkey == nil })
            let none = try await hub.listTaggedRPMS("empty-tag", into: 0) { count, _ in count += 1 }
            #expect(none == 0)
            await #expect(throws: KojiError.self) { try await hub.listTaggedRPMS("no-such-tag", into: 0) { _, _ in } }
        }
    }

    @Test("builds by name and number, in each state")
    func buildsByNameAndNumberIn() async throws {
        try await withHub { hub in
            let builds = try await hub.getBuilds([
                "ed-1.14.2-2.fc26", 6, "python-baz-0.9-3.fc26", "ed-1.14.8-1.fc26", "bar-data-3-1.fc26", "nope-1-1", "notannvr",
            ])
            let build = try #require(try builds[0].get())
            #expect(build.buildID == 6)
            #expect(build.version == "1.14.2")
            #expect(build.tagID == nil)
            #expect(try builds[1].get() == build)
            #expect(try builds[2].get()?.epoch == 1)
            #expect(try builds[3].get()?.state == .deleted)
            #expect(try builds[4].get()?.volumeName == "vol2")
            #expect(try builds[5].get() == nil)
            let error = #expect(throws: KojiError.self) { try builds[6].get() }
            #expect(error?.faultText == "invalid format: notannvr")
            #expect(KojiBuild.State.canceled.name == "CANCELED")
        }
    }

    @Test("the packages of a build")
    func thePackagesOfABuild() async throws {
        try await withHub { hub in
            let answers = try await hub.listBuildRPMs(ofEach: [
                "ed-1.14.2-2.fc26", "testmodule-master-20180405123256.c2c572ec", 6, "nope-1-1",
            ])
            let rpms = try answers[0].get()
            #expect(rpms.count == 10)
            #expect(rpms[0].nvra == "ed-1.14.2-2.fc26.src")
            #expect(rpms[0].id == 23)
            #expect(answers.map { (try? $0.get())?.count } == [10, 0, 10, nil])
        }
    }

    @Test("signatures of packages")
    func signaturesOfPackages() async throws {
        try await withHub { hub in
            let signatures = try await hub.queryRPMSigs(rpmIDs: [40, 101, 99_999_999])
            #expect(signatures[0].map(\.sigkey) == ["", "0b3e5524", "b0234768"])
            #expect(signatures[0][1].sighash == "6fe5c6e3b5379be26659e23c33f8493b")
            #expect(signatures[1].allSatisfy { $0.rpmID == 101 })
            #expect(!signatures[1].isEmpty)
            #expect(signatures[2] == [])
        }
    }

    @Test("tags and modules, many with one request; each module may be unusable by itself")
    func tagsAndModulesManyWithOneRequest() async throws {
        try await ScriptedHub.with { scripted in
            scripted.answer(XMLRPCCall("getBuildType", 99), with: .value(["module": ["name": "half"]]))
            try await scripted.asked { hub in
                let tags = try await hub.getTags(["f26", "no-such-tag", 1])
                #expect(tags.map(\.?.id) == [1, nil, 1])
                let modules = try await hub.getModules([21, 99, 6])
                #expect(scripted.calls.map(\.method) == ["multiCall", "multiCall"])
                #expect(try modules[0].get() == (try await hub.getModule(21)))
                let error = #expect(throws: KojiError.self) { try modules[1].get() }
                #expect(error?.message.hasSuffix(" to getBuildType cannot be used: it has a module without stream.") == true)
                let third = try modules[2].get()
                #expect(third == nil)
            }
        }
    }

    @Test("modules")
    func modules() async throws {
        try await withHub { hub in
            let module = try #require(try await hub.getModule(21))
            #expect(module.name == "testmodule")
            #expect(module.contentTag == "module-testmodule-master-20180405123256-c2c572ec")
            #expect(module.modulemd.contains("Žluťoučký kůň"))
            #expect(module.moduleBuildServiceID == 3256)
            #expect(try await hub.getModule(6) == nil)
            #expect(try await hub.searchBuilds("testmodule-master-20180405123256.*").map(\.id) == [21, 22])
        }
    }

    @Test("tasks of scratch builds and their results")
    func tasksOfScratchBuildsAndTheirResults() async throws {
        try await withHub { hub in
            let task = try #require(try await hub.getTaskInfo(3))
            #expect(task.method == "build")
            #expect(task.state == .closed)
            #expect(task.parent == nil)
            #expect(try await hub.getTaskInfo(99_999_999) == nil)
            #expect(try await hub.getTaskChildren(3).map(\.id).sorted() == [4, 5, 6])
            #expect(try await hub.getTaskChildren(99_999_999) == [])
            let result = try await hub.getBuildArchResult(5)
            #expect(result.rpms.first == "tasks/5/5/scratchy-0.1-1.fc26.x86_64.rpm")
            #expect(result.srpms == ["tasks/5/5/scratchy-0.1-1.fc26.src.rpm"])
            let failed = try await #require(throws: KojiError.self) { try await hub.getBuildArchResult(7) }
            #expect(failed.faultCode == KojiError.Fault.buildFailed)
            let open = try await #require(throws: KojiError.self) { try await hub.getBuildArchResult(9) }
            #expect(open.faultText == "Task 9 is not finished")
        }
    }

    @Test("many calls at once have answers and faults of their own")
    func manyCallsAtOnceHaveAnswers() async throws {
        try await ScriptedHub.with { scripted in
            try await scripted.asked(limits: KojiLimits(callsAtOnce: 3)) { hub in
                let calls = [
                    XMLRPCCall("getTag", "f26"),
                    XMLRPCCall("getTag", "no-such-tag", keywords: [.init("strict", true)]),
                    XMLRPCCall("getBuild", "nope-1-1"), XMLRPCCall("listTagged", "no-such-tag"), XMLRPCCall("noSuchMethod", 1),
                    XMLRPCCall("getTaskResult", 7),
                    XMLRPCCall("listTagged", "f26-updates", keywords: [.init("package", "ed"), .init("inherit", true)]),
                ]
                let results = try await hub.multiCall(calls)
                #expect(try results[0].get()["id"] == 1)
                #expect(try results[2].get() == .null)
                let codes = results.map { result in if case .failure(let error) = result { error.faultCode } else { nil as Int? } }
                #expect(codes == [nil, 1000, nil, 1000, 1000, 1005, nil])
                #expect(try results[6].get().array?.count == 2)
                #expect(try await hub.multiCall([]).isEmpty)
            }
            #expect(scripted.calls.map(\.method) == ["multiCall", "multiCall", "multiCall"])
        }
    }

    @Test("the recorded multiCall has its faults where they belong")
    func theRecordedMulticallHasItsFaults() async throws {
        try await ScriptedHub.with { scripted in
            let recorded = Recordings.response("multiCall")
            scripted.behave { _, _ in .bytes(recorded) }
            try await scripted.asked { hub in
                let results = try await hub.multiCall(Array(repeating: XMLRPCCall("getTag", "f26"), count: 7))
                let texts = results.map { result in if case .failure(let error) = result { error.faultText } else { nil as String? } }
                #expect(texts[1] == "No such tagInfo: 'no-such-tag'")
                #expect(texts[4] == "Invalid method: noSuchMethod")
                #expect(texts[0] == nil)
            }
        }
    }

    @Test("calls go over one connection and say who asks")
    func callsGoOverOneConnectionAnd() async throws {
        try await ScriptedHub.with { scripted in
            try await scripted.asked { hub in
                for _ in 0..<5 { _ = try await hub.getLastEvent() }
            }
            #expect(scripted.connections == 1)
            #expect(scripted.userAgents == ["odcs"])
        }
    }

    @Test("a defect of the hub is told without the hub's files")
    func aDefectOfTheHubIs() async throws {
        try await withHub { hub in
            let error = try await #require(throws: KojiError.self) { try await hub.call(XMLRPCCall("fault")) }
            #expect(error.faultCode == 1)
            #expect(!error.message.contains("/usr/lib"))
            #expect(!error.message.contains("Traceback"))
        }
    }
}

extension ScriptedHub {
    /// Quick to give up: every wait is one that a test provokes.
    static let limits = KojiLimits(
        connectTimeout: .seconds(60), silence: .seconds(60), attempts: 3, firstPause: .milliseconds(1), longestPause: .milliseconds(2))

    /// Runs `body` with a client of this hub.
    func asked<Result>(
        limits: KojiLimits = limits, profile: KojiProfile? = nil, _ body: (KojiHub) async throws -> Result
    ) async throws -> Result {
        let hub = try KojiHub(
            profile ?? self.profile(), limits: limits, logger: Logger(label: "koji", factory: { _ in SwiftLogNoOpLogHandler() }))
        do {
            let result = try await body(hub)
            try await hub.shutdown()
            return result
        } catch {
            try await hub.shutdown()
            throw error
        }
    }
}
