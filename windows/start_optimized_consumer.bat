@echo off
rem npm run consume, from a double click or a prompt in any folder.
setlocal
cd /d "%~dp0.."
set "double_clicked="
if not defined CI echo "%cmdcmdline:"=%" | findstr /i /l /c:"%~nx0" >nul && set "double_clicked=1"
node scripts\run.mjs consume %*
set "code=%ERRORLEVEL%"
rem From a double click the window would close before anybody has read it.
if defined double_clicked if not "%code%"=="0" pause
exit /b %code%
