# Elasticsearch 8 and 9: from the module path, as the archive runs it; ServerStart.java does what the
# archive's launcher does before the server's own phases. Sourced by compose.

# The Netty module is on Maven Central up to 9.2.0; later servers take that one under their number.
netty_version() { if at_least 9 3; then echo 9.2.0; else echo "$version"; fi; }

coordinates() {
  echo "org.elasticsearch:elasticsearch:$version org.elasticsearch.plugin:transport-netty4:$(netty_version)"
}

lowest_java() { if at_least 9 0; then echo 21; else echo 17; fi; }

arrange() {
  local module=$1/modules/transport-netty4 jdk netty work
  jdk=$(need_java "$(lowest_java)" 25 javac)
  netty=$(netty_version)
  mkdir -p "$module" "$1/launcher"
  mv "$1"/lib/*netty* "$module"
  work=$(mktemp -d)
  ( cd "$work" && "$jdk/bin/jar" xf "$module/transport-netty4-$netty.jar" META-INF/es-plugins )
  cp "$work"/META-INF/es-plugins/transport-netty4/* "$module"
  rm -rf "$work"
  sed -i "s/$netty/$version/" "$module/plugin-descriptor.properties"
  "$jdk/bin/javac" -nowarn -cp "$1/lib/*" -d "$1/launcher" "$here/ServerStart.java"
}

logging() {
  local base='${sys:es.logs.base_path}${sys:file.separator}${sys:es.logs.cluster_name}'
  cat > "$1/log4j2.properties" <<PROPERTIES
status = error
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
rootLogger.appenderRef.plain.ref = plain
rootLogger.appenderRef.json.ref = json
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%consoleException%n
appender.plain.type = File
appender.plain.name = plain
appender.plain.fileName = $base.log
appender.plain.layout.type = PatternLayout
appender.plain.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n
appender.json.type = File
appender.json.name = json
appender.json.fileName = ${base}_server.json
appender.json.layout.type = ECSJsonLayout
appender.json.layout.dataset = elasticsearch.server
PROPERTIES
}

launcher() {
  local java
  java=$(need_java "$(lowest_java)" 25)
  launch_script ES "$java" "\"-Des.path.home=\$home\" \"-Des.path.conf=\$conf\" -Des.distribution.type=tar \\
  -Dlog4j.shutdownHookEnabled=false -Dlog4j2.disable.jmx=true -Djava.locale.providers=CLDR \\
  --module-path \"\$home/lib\" --add-modules=ALL-MODULE-PATH --patch-module \"org.elasticsearch.server=\$home/launcher\" \\
  -m org.elasticsearch.server/org.elasticsearch.bootstrap.ServerStart"
}
