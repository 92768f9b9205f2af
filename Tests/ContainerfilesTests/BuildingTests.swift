import Containerfiles
import ImageModel
import Testing

@Suite("Images that a Containerfile names, and its prepared form")
struct BuildingTests {
    private static let digest = ImageDigest(of: "a".utf8)
    private static let mounts = [
        RunMount(context: "odcs", source: "/", target: "/run/odcs"),
        RunMount(context: "odcs", source: "odcs.repo", target: "/etc/yum.repos.d/odcs.repo"),
    ].compactMap(\.self)

    private static func prepared(
        _ text: String, _ images: [String] = ["fedora:42"], arguments: [String: String] = [:], contexts: Set<String> = [],
        mounts: [RunMount] = Self.mounts, upgrade: [String] = []
    ) throws -> String {
        let digests = try Dictionary(uniqueKeysWithValues: images.map { (try ImageReference($0), Self.digest) })
        return try PreparedContainerfile(
            Containerfile(text), arguments: BuildArguments(arguments, platform: Platform("linux/arm64")), digests: digests,
            contexts: contexts,
            mounts: mounts, upgrade: upgrade
        ).text.replacing(Self.digest.description, with: "DIGEST")
    }

    @Test("FROM is pinned, RUN gets the mounts, and every other byte stays")
    func prepared() throws {
        let text = try Self.prepared(
            """
            # comment
            ARG RELEASE=42
            FROM --platform=$TARGETPLATFORM fedora:${RELEASE} AS build
              run dnf -y install ed \\
                  vim
            FROM scratch
            COPY --from=build / /
            FROM build
            RUN ["/bin/true"]
            ENTRYPOINT ["ed"]

            """)
        #expect(
            text == """
                # comment
                ARG RELEASE=42
                FROM --platform=$TARGETPLATFORM docker.io/library/fedora@DIGEST AS build
                  run --mount=type=bind,from=odcs,source=/,target=/run/odcs \
                --mount=type=bind,from=odcs,source=odcs.repo,target=/etc/yum.repos.d/odcs.repo dnf -y install ed \\
                      vim
                FROM scratch
                COPY --from=build / /
                FROM build
                RUN --mount=type=bind,from=odcs,source=/,target=/run/odcs \
                --mount=type=bind,from=odcs,source=odcs.repo,target=/etc/yum.repos.d/odcs.repo ["/bin/true"]
                ENTRYPOINT ["ed"]

                """)
    }

    @Test("caches get ids that only the image has, and other mounts stay")
    func caches() throws {
        let file = try Containerfile(
            """
            FROM scratch
            RUN --mount=type=cache,target=/var/cache --mount=type=bind,target=/src make
            RUN --mount=target=/c,type=cache,sharing=locked,id=ccache \\
                --mount=type=tmpfs,target=/t make
            """)
        let text = try PreparedContainerfile(file, digests: [:], caches: "odcs-1").text
        #expect(
            text == """
                FROM scratch
                RUN --mount=type=cache,target=/var/cache,id=odcs-1-/var/cache --mount=type=bind,target=/src make
                RUN --mount=target=/c,type=cache,sharing=locked,id=odcs-1-ccache \\
                    --mount=type=tmpfs,target=/t make
                """)
    }

    @Test("packages are upgraded once, after the FROM of the last stage")
    func upgrade() throws {
        let mount = try #require(RunMount(context: "odcs", source: "/", target: "/run/odcs"))
        let text = try Self.prepared(
            "FROM fedora:42 AS a\nRUN x\nFROM \\\n  fedora:42\nRUN y\n", mounts: [mount], upgrade: ["openssl-libs", "libstdc++"])
        #expect(
            text == """
                FROM docker.io/library/fedora@DIGEST AS a
                RUN --mount=type=bind,from=odcs,source=/,target=/run/odcs x
                FROM docker.io/library/fedora@DIGEST

                RUN --mount=type=bind,from=odcs,source=/,target=/run/odcs dnf -y upgrade openssl-libs libstdc++
                RUN --mount=type=bind,from=odcs,source=/,target=/run/odcs y

                """)
        #expect(throws: ContainerfileProblem(line: 1, "\"a;b\" cannot be the name of a package")) {
            try Self.prepared("FROM scratch", upgrade: ["a;b"])
        }
    }

    @Test("images of COPY and of mounts are pinned too, and build contexts stay")
    func otherImages() throws {
        let text = try Self.prepared(
            """
            FROM scratch
            COPY --from=tools:1 --chown=0 /a /a
            COPY --from=scripts . /scripts
            RUN --mount=from=tools:1,type=bind,target=/t x
            """, ["tools:1"], contexts: ["scripts"], mounts: [])
        #expect(
            text == """
                FROM scratch
                COPY --from=docker.io/library/tools@DIGEST --chown=0 /a /a
                COPY --from=scripts . /scripts
                RUN --mount=from=docker.io/library/tools@DIGEST,type=bind,target=/t x
                """)
    }

    @Test("an image without a digest stops the preparation")
    func unknownDigest() {
        #expect(throws: ContainerfileProblem(line: 2, "the digest of docker.io/library/debian:12 is not known")) {
            try Self.prepared("ARG B=debian:12\nFROM $B")
        }
    }

    @Test("the images of a file are its bases and the images that it copies from")
    func imagesNamed() throws {
        let file = try Containerfile(
            "ARG BASE\nFROM ${BASE:-quay.io/a/b} AS x\nCOPY --from=0 / /\nFROM X\nCOPY --from=tools /a /b\nCOPY --from=x /a /b\nFROM scratch\n"
        )
        #expect(throws: ContainerfileProblem(line: 3, "there is no stage 0 before this line")) { try file.imagesNamed() }
        let images = try Containerfile("ARG BASE\nFROM ${BASE:-quay.io/a/b} AS x\nFROM X\nCOPY --from=tools /a /b\nCOPY --from=0 / /\n")
            .imagesNamed()
        #expect(images.map(\.reference.description) == ["quay.io/a/b:latest", "docker.io/library/tools:latest"])
        #expect(images.map(\.role) == [.base(isLast: false), .files])
        #expect(images.map(\.line) == [2, 4])
        #expect(throws: ContainerfileProblem(line: 2, "FROM $BASE names no image: BASE has no value")) {
            try Containerfile("ARG BASE\nFROM $BASE").imagesNamed()
        }
    }

    @Test("mounts take plain texts only, so that none becomes another flag")
    func mountTexts() {
        #expect(RunMount(context: "odcs", source: "/,rw", target: "/x") == nil)
        #expect(RunMount(cache: "a b", target: "/x") == nil)
        #expect(
            RunMount(cache: "app-ccache", target: "/var/cache/ccache")?.description
                == "--mount=type=cache,id=app-ccache,target=/var/cache/ccache")
    }
}
